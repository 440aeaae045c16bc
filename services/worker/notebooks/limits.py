"""The limits of a phase for one notebook, and the ways to run one."""

from dataclasses import dataclass
from enum import Enum, auto

from services.core.submission.notebook import DRY_RUN_CHECKPOINTS
from services.worker.slots import Slot

__all__ = ["Mode", "NotebookLimits"]


class Mode(Enum):
    """What a notebook sees in the place of the competition's data, and what becomes of its checkpoints."""

    DRY = auto()  # `empty.txt` alone; nothing is read
    REHEARSAL = auto()  # stand-in data, so that it unlearns in earnest; the intake reads the checkpoints
    FULL = auto()  # the benchmark; the checkpoints are measured

    @property
    def described(self) -> dict[str, str]:
        """Name the kind of a trial, for the provenance of a run."""
        trials = {Mode.DRY: "dry run", Mode.REHEARSAL: "rehearsal"}
        return {"trial": trials[self]} if self in trials else {}


@dataclass(frozen=True, slots=True)
class NotebookLimits:
    """The limits of a phase for one notebook."""

    seeds: int  # N, the checkpoints that it must write
    timeout_s: float  # wall clock of the whole run
    memory_bytes: int
    data_hidden: bool
    mode: Mode = Mode.FULL
    cuda_stand_in: bool = False
    take_first: bool = False  # if there are more checkpoints than N, score the first N
    robustness: bool = False  # put every model under stress

    @property
    def wanted(self) -> int:
        """Return how many checkpoints the notebook is asked to write."""
        return DRY_RUN_CHECKPOINTS if self.mode is Mode.DRY else self.seeds

    @property
    def takes_first(self) -> bool:
        """Tell whether more checkpoints than N are no mistake; a rehearsal ends a notebook that goes on."""
        return self.take_first or self.mode is Mode.REHEARSAL

    @property
    def written(self) -> int:
        """Return how many checkpoints there may be on disk; the notebooks of 2023 hard-code 512."""
        hard_coded = 512 if self.take_first and self.mode is Mode.FULL else DRY_RUN_CHECKPOINTS
        return max(self.seeds, hard_coded)

    def cuda_in(self, slot: Slot) -> str:
        """Name the device that a notebook uses as CUDA."""
        return "gpu" if slot.gpu_uuid else "stand-in" if self.cuda_stand_in else "none"

"""The limits of a phase for one notebook."""

from dataclasses import dataclass

from services.core.submission.notebook import DRY_RUN_CHECKPOINTS
from services.worker.slots import Slot

__all__ = ["NotebookLimits"]


@dataclass(frozen=True, slots=True)
class NotebookLimits:
    """The limits of a phase for one notebook."""

    seeds: int  # N, the checkpoints that it must write
    timeout_s: float  # wall clock of the whole run
    memory_bytes: int
    data_hidden: bool
    dry: bool = False  # try the code on stand-in data; nothing is measured
    cuda_stand_in: bool = False
    take_first: bool = False  # if there are more checkpoints than N, score the first N

    @property
    def wanted(self) -> int:
        """Return how many checkpoints the notebook is asked to write."""
        return DRY_RUN_CHECKPOINTS if self.dry else self.seeds

    @property
    def written(self) -> int:
        """Return how many checkpoints there may be on disk; the notebooks of 2023 hard-code 512."""
        return max(self.seeds, 512) if self.take_first and not self.dry else max(self.seeds, DRY_RUN_CHECKPOINTS)

    def cuda_in(self, slot: Slot) -> str:
        """Name the device that a notebook uses as CUDA."""
        return "gpu" if slot.gpu_uuid else "stand-in" if self.cuda_stand_in else "none"

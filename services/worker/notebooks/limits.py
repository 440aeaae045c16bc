"""What a phase allows one notebook."""

from dataclasses import dataclass

from services.core.submission.notebook import DRY_RUN_CHECKPOINTS
from services.worker.slots import Slot

__all__ = ["NotebookLimits"]


@dataclass(frozen=True, slots=True)
class NotebookLimits:
    """What the phase allows one notebook."""

    seeds: int  # N, the checkpoints that it must write
    timeout_s: float  # wall clock of the whole run
    memory_bytes: int
    data_hidden: bool
    dry: bool = False  # try the code on stand-in data; nothing is measured
    cuda_stand_in: bool = False
    take_first: bool = False  # of more checkpoints than N

    @property
    def wanted(self) -> int:
        """How many checkpoints the notebook is told to write."""
        return DRY_RUN_CHECKPOINTS if self.dry else self.seeds

    @property
    def written(self) -> int:
        """How many checkpoints there may be on disk; notebooks hard-code 512."""
        return max(self.seeds, 512) if self.take_first and not self.dry else max(self.seeds, DRY_RUN_CHECKPOINTS)

    def cuda_in(self, slot: Slot) -> str:
        """Say for the record what a notebook takes for CUDA."""
        return "gpu" if slot.gpu_uuid else "stand-in" if self.cuda_stand_in else "none"

"""What every part of the check is given."""

from dataclasses import dataclass
from pathlib import Path

import torch

from benches.gpu_check.rows import Table
from services.core.device import Device
from services.core.settings import SandboxKind, Settings

__all__ = ["SLOTS_PER_GPU", "Setting"]

SLOTS_PER_GPU = 2
SLOT_BYTES = 8 * 1024**3


@dataclass(frozen=True, slots=True)
class Setting:
    """The device to check, how much to do, and where to keep files."""

    device: Device
    small: bool  # as little as shows that everything runs
    place: Path
    table: Table

    @property
    def torch_device(self) -> torch.device:
        """The device as torch names it."""
        return torch.device("cuda" if self.device is Device.GPU else "cpu")

    @property
    def settings(self) -> Settings:
        """The settings of a worker on this machine."""
        return Settings(
            data_dir=self.place / "var",
            sandbox=SandboxKind.PROCESS,
            worker_slots=0,
            gpus_only=False,
            slots_per_gpu=SLOTS_PER_GPU,
            slot_memory_bytes=SLOT_BYTES,
        )

    def bundle(self, name: str) -> Path:
        """The directory of a benchmark that an earlier part builds."""
        return self.place / "benchmarks" / name

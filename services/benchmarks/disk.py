"""How much disk a build takes, announced before it starts."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from services.benchmarks.examples import Splits
from services.core.bundle.readings import PROBE_SIZE, SKETCH_SIZE
from services.core.errors import LetheError

__all__ = ["Disk", "NoRoom", "check_room", "plan_disk"]

FILE_BYTES = 16_384  # what a file takes beside its tensors, headers and a started block included
PREDICTION_BYTES = 7  # class, margin, entropy
OTHER_MODELS = 9  # the original and untrained ones


class NoRoom(LetheError):
    """The disk is too full for a build."""

    code = "no_room"
    status = 507


@dataclass(frozen=True, slots=True)
class Disk:
    """At most so many bytes."""

    building: int  # beside the destination while the build goes on, the bundle included
    bundle: int
    checkpoints: int  # the packed archive; 0 where checkpoints are dropped


def plan_disk(  # noqa: PLR0917 - one number for each kind of file
    model: nn.Module, splits: Splits, classes: int, seeds: int, placebo_models: int, kept_models: int, *, pack: bool
) -> Disk:
    """Say how much disk a build takes with `seeds` models in each oracle and so many of all models kept."""
    state = sum(value.numel() * value.element_size() for value in model.state_dict().values()) + FILE_BYTES
    forget = len(splits.forget) * classes * 4
    reading = forget + (len(splits.test) + min(len(splits.retain), PROBE_SIZE)) * PREDICTION_BYTES
    reading += len(splits.retain) // 8 + 4 * SKETCH_SIZE + 64
    data = sum(array.nbytes for part in splits.named().values() for array in part.arrays().values())
    bundle = data + (2 * seeds + OTHER_MODELS) * reading + state + 16 * FILE_BYTES
    checkpoints = 2 * seeds * state if pack else 0
    work = data + (2 * seeds + kept_models) * (reading + FILE_BYTES) + placebo_models * (forget + FILE_BYTES)
    return Disk(building=bundle + work + kept_models * state + 2 * checkpoints, bundle=bundle, checkpoints=checkpoints)


def check_room(disk: Disk, place: Path) -> None:
    """Raise NoRoom unless there is room for a build."""
    free = shutil.disk_usage(place).free
    if disk.building > free:
        raise NoRoom(
            f"This build takes up to {disk.building / 1e9:.1f} GB and {place} has {free / 1e9:.1f} GB free. Make room, "
            "choose another place with --out, or drop --keep-checkpoints."
        )

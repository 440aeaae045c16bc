"""Plans the disk space of a build, which is announced before it starts."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from services.benchmarks.examples import Splits
from services.core.bundle.readings import PROBE_SIZE, SKETCH_SIZE
from services.core.store.room import NoRoom

__all__ = ["Disk", "NoRoom", "check_room", "plan_disk"]

FILE_BYTES = 16_384  # of a file besides its tensors, including headers and a started block
PREDICTION_BYTES = 7  # class, margin, entropy
OTHER_MODELS = 9  # the original model and the untrained ones


@dataclass(frozen=True, slots=True)
class Disk:
    """Upper bounds on disk space, in bytes."""

    building: int  # beside the destination during the build, including the bundle
    bundle: int
    checkpoints: int  # of the packed archive; 0 if the checkpoints are not kept


def plan_disk(  # noqa: PLR0917 - one number for each kind of file
    model: nn.Module,
    splits: Splits,
    classes: int,
    seeds: int,
    placebo_models: int,
    kept_models: int,
    originals: int,
    *,
    pack: bool,
) -> Disk:
    """Compute the disk space of a build with `seeds` models per oracle and `kept_models` models kept whole.

    The bundle holds `originals` of them for runs to start from, besides the public one, and what was measured of them.
    """
    state = sum(value.numel() * value.element_size() for value in model.state_dict().values()) + FILE_BYTES
    forget = len(splits.forget) * classes * 4
    reading = forget + (len(splits.test) + min(len(splits.retain), PROBE_SIZE)) * PREDICTION_BYTES
    reading += len(splits.retain) // 8 + 4 * SKETCH_SIZE + 64
    data = sum(array.nbytes for part in splits.named().values() for array in part.arrays().values())
    bundle = (
        data + (2 * seeds + OTHER_MODELS) * reading + (1 + originals) * state + originals * reading + 16 * FILE_BYTES
    )
    checkpoints = 2 * seeds * state if pack else 0
    work = data + (2 * seeds + kept_models) * (reading + FILE_BYTES) + placebo_models * (forget + FILE_BYTES)
    return Disk(building=bundle + work + kept_models * state + 2 * checkpoints, bundle=bundle, checkpoints=checkpoints)


def check_room(disk: Disk, place: Path) -> None:
    """Raise NoRoom unless the disk has enough free space for a build."""
    free = shutil.disk_usage(place).free
    if disk.building > free:
        raise NoRoom(
            f"This build needs up to {disk.building / 1e9:.1f} GB, but {place} has {free / 1e9:.1f} GB free. Free some "
            "space, choose another directory with --out, or omit --keep-checkpoints."
        )

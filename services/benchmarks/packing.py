"""Packs an oracle's checkpoints into one archive beside the bundle, for research, never for a sandbox.

The archive is a zip without compression (weights do not compress) with one member `<oracle>/<index>.safetensors` per
model, in the order of the oracle's measurements. A measurement has its model's hash, which proves the member genuine.
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from services.core.bundle import readings
from services.core.bundle.measurements import Measurements

__all__ = ["pack_checkpoints"]

EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same models give the same archive


def pack_checkpoints(
    archive: Path,
    files: Sequence[Path],
    oracles: Mapping[str, Measurements],
    *,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> None:
    """Pack the models in stacked files that belong to the oracles' measurements; leave out other models."""
    members = {
        row.tobytes().hex(): f"{name}/{index:05}.safetensors"
        for name, measurements in oracles.items()
        for index, row in enumerate(measurements.checkpoint_sha256)
    }
    total, done = len(members), 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for file in files:
            models = load_file(file)
            for position in range(len(next(iter(models.values())))):
                state = {name: np.ascontiguousarray(value[position]) for name, value in models.items()}
                member = members.pop(readings.checkpoint_sha256(state), None)
                if member is not None:
                    packed.writestr(zipfile.ZipInfo(member, EPOCH), save(state))
                    done += 1
                    progress(done, total)

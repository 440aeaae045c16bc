"""The intake: converts the members of a notebook's `submission.zip` to plain tensors, one at a time.

Theory of operation. Members are pickles that a participant's code wrote. torch's restricted unpickler reads them, and
it has had security holes, so this process runs in a separate sandbox without any data: it sees only the read-only zip
and an output directory. The archive is never unpacked, and a member's size is checked before it is read. The measurer
treats the output as untrusted. The first line of output is about the whole archive; then each request line gets one
JSON line as its answer:

    {"ready": true, "written": checkpoints in the archive}, or {"ready": true, "bad": why}
    {"token": T, "index": i}  ->  {"token": T} once `out/T` exists, or {"token": T, "bad": why}
"""

import argparse
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.worker.runner import tensors

__all__ = ["SubmittedArchive", "main"]

MEMBER = re.compile(r"(?:^|/)unlearned_checkpoint_([0-9]{1,6})\.pth\Z")
SLACK_BYTES = 1024**2  # allowed in a .pth besides its tensors
ENCRYPTED = 0x1 | 0x40
MAX_NAMED = 5  # indices that a message names


class BadMember(Exception):
    """A member cannot be used; the message names it."""


class SubmittedArchive:
    """A `submission.zip`, and the architecture that its members must have."""

    def __init__(self, archive: Path, specs: tensors.Specs, seeds: int, *, take_first: bool) -> None:
        self._specs = specs
        self._largest = tensors.encoded_size(specs) + SLACK_BYTES
        try:
            self._zip = zipfile.ZipFile(archive)
        except Exception as error:  # hostile bytes raise anything, here and below
            raise BadMember(f"submission.zip is not a zip archive, or it is incomplete: {error}") from error
        self._members = self._find(seeds, take_first=take_first)

    def _find(self, seeds: int, *, take_first: bool) -> dict[int, zipfile.ZipInfo]:
        """Find exactly one member for each index, at any depth. Ignore other files."""
        found: dict[int, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            match = MEMBER.search(info.filename)
            if match is None or info.is_dir():
                continue
            index = int(match[1])
            if index in found:
                raise BadMember(f"submission.zip contains unlearned_checkpoint_{index}.pth twice")
            found[index] = info
        missing = [index for index in range(seeds) if index not in found]
        if missing:
            raise BadMember(f"submission.zip lacks {_names(missing)}; write {seeds} checkpoints, 0 to {seeds - 1}")
        extra = sorted(set(found) - set(range(seeds)))
        if extra and not take_first:
            raise BadMember(
                f"submission.zip contains {len(found)} checkpoints, but this phase expects {seeds}: {_names(extra)} "
                f"should not be there. Write {seeds} (the value of the environment variable LETHE_SEEDS), or ask the "
                "organiser to let the phase use the first ones"
            )
        self.written = len(found)
        return {index: found[index] for index in range(seeds)}

    def convert(self, index: int, place: Path) -> None:
        """Write one member as plain tensors in the architecture's dtypes. Raises BadMember."""
        info = self._members[index]
        name = info.filename[:200]
        state = self._load(info, name)
        arrays = {}
        for key, (dtype, shape) in self._specs.items():
            if key not in state:
                raise BadMember(f"{name}: tensor {key} is missing; save the state dict of the original architecture")
            arrays[key] = _array(state[key], key, dtype, shape, name)
        extra = sorted(set(state) - set(self._specs), key=str)
        if extra:
            raise BadMember(f"{name}: {str(extra[0])[:200]} is not part of the architecture")
        partial = place.with_name(f"{place.name}.part")
        partial.write_bytes(tensors.encode(arrays))
        partial.rename(place)

    def _load(self, info: zipfile.ZipInfo, name: str) -> dict[Any, Any]:
        if info.flag_bits & ENCRYPTED:
            raise BadMember(f"{name} is encrypted")
        if info.file_size > self._largest:
            raise BadMember(
                f"{name} is {info.file_size:,} bytes; the limit for a checkpoint is {self._largest:,} bytes"
            )
        try:
            with self._zip.open(info) as member:
                data = member.read(self._largest + 1)
        except Exception as error:
            raise BadMember(f"{name} cannot be unpacked: {error}") from error
        if len(data) != info.file_size:
            raise BadMember(f"{name} is incomplete")
        try:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)  # noqa: TID251 - confined here
        except Exception as error:
            why = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise BadMember(f"{name} is not a state dict that can be read without running code: {why}") from error
        if not isinstance(state, dict):
            raise BadMember(f"{name} contains a {type(state).__name__}, not a state dict")
        return state


def _array(value: Any, key: str, dtype: str, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """Convert one tensor to the expected dtype: widen half precision, but accept only integers for integers."""
    wanted = tensors.numpy_dtype(dtype)
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized:
        raise BadMember(f"{name}: {key} is not a plain tensor")
    if tuple(value.shape) != shape:
        raise BadMember(f"{name}: tensor {key} has shape {list(value.shape)}; the architecture has {list(shape)}")
    if value.is_floating_point() != (wanted.kind == "f") or value.is_complex():
        raise BadMember(f"{name}: tensor {key} is {value.dtype}; the architecture has {wanted}")
    plain = value.detach().float() if wanted.kind == "f" else value.detach()
    array: NDArray[Any] = plain.contiguous().numpy().astype(wanted, copy=False)
    if wanted.kind == "f" and not np.isfinite(array).all():
        raise BadMember(f"{name}: tensor {key} contains NaN or infinite values")
    return array


def _names(indices: list[int]) -> str:
    shown = ", ".join(f"unlearned_checkpoint_{index}.pth" for index in indices[:MAX_NAMED])
    return shown if len(indices) <= MAX_NAMED else f"{shown} and {len(indices) - MAX_NAMED} more"


def main() -> None:
    """Convert members on request until standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", type=Path, required=True, help="directory with submission.zip")
    parser.add_argument("--specs", type=Path, required=True, help="directory with specs.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, required=True)
    parser.add_argument("--take-first", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    described = json.loads((arguments.specs / "specs.json").read_text())
    specs = {name: (dtype, tuple(shape)) for name, (dtype, shape) in described.items()}
    try:
        intake = SubmittedArchive(
            arguments.archive / "submission.zip", specs, arguments.seeds, take_first=arguments.take_first
        )
    except Exception as error:
        _answer({"ready": True, "bad": _why(error, "submission.zip")})
        return
    _answer({"ready": True, "written": intake.written})
    for line in sys.stdin:
        request = json.loads(line)
        token = os.path.basename(request["token"])  # noqa: PTH119 - a name, not a path
        try:
            intake.convert(request["index"], arguments.out / token)
        except Exception as error:
            _answer({"token": token, "bad": _why(error, "the member")})
        else:
            _answer({"token": token})


def _why(error: Exception, what: str) -> str:
    """Say what is wrong with a hostile file, which is at fault whatever reading it raised."""
    return str(error) if isinstance(error, BadMember) else f"reading {what} raised {type(error).__name__}"


def _answer(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

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

from services.worker.runner import dress, tensors

__all__ = ["SubmittedArchive", "main"]

MEMBER = re.compile(r"(?:^|/)unlearned_checkpoint_([0-9]{1,6})\.pth\Z")
SLACK_BYTES = 1024**2  # allowed in a .pth besides its tensors
COPIES = 4  # of all tensors that one may hold: in double precision, with masks, or with what an optimizer keeps
ENCRYPTED = 0x1 | 0x40
MAX_NAMED = 5  # files that a message names
MAX_CLASS = 120  # characters
REMEDY = "save net.state_dict() of the original architecture"
UNSUPPORTED = re.compile(r"Unsupported (?:class|global: GLOBAL) (\S+)")  # in torch 1.13, and since 2.6


class BadMember(Exception):
    """A member cannot be used; the message names it."""


class SubmittedArchive:
    """A `submission.zip`, and the architecture that its members must have."""

    def __init__(self, archive: Path, specs: tensors.Specs, seeds: int, *, take_first: bool) -> None:
        self._specs = specs
        self._largest = COPIES * tensors.encoded_size(specs) + SLACK_BYTES
        try:
            self._zip = zipfile.ZipFile(archive)
        except Exception as error:  # hostile bytes raise anything, here and below
            if archive.stat().st_size == 0:
                raise BadMember("submission.zip is not a zip archive: it is empty, so nothing was unlearned") from error
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
            raise BadMember(
                f"submission.zip lacks {_names(missing)}; write {seeds} checkpoints, 0 to {seeds - 1}. "
                f"It contains {self._contents(found)}"
            )
        extra = sorted(set(found) - set(range(seeds)))
        if extra and not take_first:
            raise BadMember(
                f"submission.zip contains {len(found)} checkpoints, but this phase expects {seeds}: {_names(extra)} "
                f"should not be there. Write {seeds} (the value of the environment variable LETHE_SEEDS), or ask the "
                "organiser to let the phase use the first ones"
            )
        self.written = len(found)
        return {index: found[index] for index in range(seeds)}

    def _contents(self, found: dict[int, zipfile.ZipInfo]) -> str:
        """Say what there is instead of the checkpoints that are missing."""
        if found:
            return f"{len(found)} checkpoints: {_names(sorted(found))}"
        files = [info.filename[:200] for info in self._zip.infolist() if not info.is_dir()]
        return _listed(files) if files else "no file at all"

    def convert(self, index: int, place: Path) -> None:
        """Write one member as plain tensors in the architecture's dtypes. Raises BadMember."""
        info = self._members[index]
        name = info.filename[:200]
        try:
            arrays = dress.plain_arrays(self._load(info, name), self._specs, remedy=REMEDY)
            _require_finite(arrays)
        except tensors.BadTensors as error:
            raise BadMember(f"{name}: {error}") from error
        partial = place.with_name(f"{place.name}.part")
        partial.write_bytes(tensors.encode(arrays))
        partial.rename(place)

    def _load(self, info: zipfile.ZipInfo, name: str) -> Any:
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
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)  # noqa: TID251 - confined here
        except Exception as error:
            raise BadMember(
                f"{name} is not a state dict that can be read without running code: {_unread(error)}"
            ) from error


def _unread(error: Exception) -> str:
    """Say in our own words why torch's restricted unpickler refused a file: its advice is to run the file's code."""
    text = str(error)
    if held := UNSUPPORTED.search(text):
        what = held[1][:MAX_CLASS]
        if what.split(".")[0] == "numpy":
            return f"it holds numpy's {what}. {REMEDY.capitalize()}, which holds tensors alone"
        return f"it holds a {what}. If that is a whole model, {REMEDY} instead of it"
    first = text.splitlines()[0][:300] if text else type(error).__name__
    return f"it is damaged, or holds more than tensors; {REMEDY} alone" if "weights_only" in text else first


def _require_finite(arrays: dict[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise tensors.BadTensors(f"tensor {name} contains NaN or infinite values")


def _names(indices: list[int]) -> str:
    return _listed([f"unlearned_checkpoint_{index}.pth" for index in indices])


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} and {len(names) - MAX_NAMED} more"


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

"""One unlearning run in a separate process: seed, import the submission, call it, write the checkpoint.

Everything here happens after the fork, so the participant controls everything that this process reports. The supervisor
believes only files and exit status, and uses only the text of the failure note.
"""

import json
import linecache
import os
import random
import sys
import traceback
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from services.core.text import tidy
from services.worker.runner import tensors
from services.worker.runner.gpu import OutOfMemory, share_gpu
from services.worker.runner.loaders import ExampleSet, Loader
from services.worker.runner.model import arrays_of
from services.worker.runner.network import NO_NETWORK, wants_network

__all__ = ["EXIT_FAILED", "Bench", "run_seed"]

EXIT_FAILED = 64  # the run wrote a failure note
ENTRY_POINT = "submission.py"


@dataclass(frozen=True)
class Bench:
    """Everything that the warm parent loads once."""

    model: nn.Module
    specs: tensors.Specs  # of a checkpoint, read before any participant's code could change the model
    retain: ExampleSet
    forget: ExampleSet
    validation: ExampleSet
    submission: Path  # directory with submission.py
    out: Path
    threads: int
    gpu_slots: int = 0  # slots that share the GPU; 0 for a slot without one


class Failed(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def run_seed(bench: Bench, token: str, value: int, code: str | None = None) -> int:
    """Run the submission once, or `code` in its place, and write `out/<token>`; return this process's exit status."""
    try:
        model = _unlearn(bench, value, code)
        _write_checkpoint(bench, token, model)
    except Failed as failure:
        _write_note(bench, token, failure.kind, failure, str(failure))
        return EXIT_FAILED
    except BaseException as error:  # everything that a participant's code can raise, including SystemExit
        short = bench.gpu_slots and isinstance(error, OutOfMemory)  # on a CPU the kernel ends a process
        _write_note(bench, token, "out_of_memory" if short else "exception", error, "")
        return EXIT_FAILED
    return 0


def _unlearn(bench: Bench, value: int, code: str | None) -> nn.Module:
    torch.set_num_threads(bench.threads)
    random.seed(value)
    np.random.seed(value % 2**32)
    torch.manual_seed(value)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        share_gpu(max(1, bench.gpu_slots))
    net = bench.model.to(device).train()
    loaders = [
        Loader(examples, shuffle=shuffle, device=device)
        for examples, shuffle in ((bench.retain, True), (bench.forget, True), (bench.validation, False))
    ]
    result = _import(bench.submission, code)(net, *loaders)
    if result is None:
        return net
    if not isinstance(result, nn.Module):
        raise Failed("bad_checkpoint", f"unlearning() returned {type(result).__name__}; return a model or None")
    return result


def _import(directory: Path, code: str | None) -> Any:
    path = directory / ENTRY_POINT
    if code is None:
        sys.path.insert(0, str(directory))
    module = types.ModuleType("submission")
    module.__file__ = str(path)
    sys.modules["submission"] = module
    try:
        exec(compile(path.read_bytes() if code is None else code, ENTRY_POINT, "exec"), module.__dict__)  # noqa: S102 - this is the sandbox
    except SyntaxError as error:
        raise Failed("rejected", f"{ENTRY_POINT} does not parse: {error.msg}, line {error.lineno}") from error
    except BaseException as error:
        raise Failed("import_error", _text(error)) from error
    function = getattr(module, "unlearning", None)
    if not callable(function):
        raise Failed(
            "rejected",
            "the module does not define a function unlearning(net, retain_loader, forget_loader, val_loader)",
        )
    return function


def _write_checkpoint(bench: Bench, token: str, model: nn.Module) -> None:
    try:
        arrays = arrays_of(model, bench.specs)
    except tensors.BadTensors as error:
        raise Failed("bad_checkpoint", str(error)) from error
    temporary = bench.out / f"{token}.part"
    temporary.write_bytes(tensors.encode(arrays))
    temporary.rename(bench.out / token)


def _write_note(bench: Bench, token: str, kind: str, error: BaseException, message: str) -> None:
    cause = error.__cause__ if isinstance(error, Failed) and error.__cause__ is not None else error
    note = {"kind": kind, "message": tidy(message or _text(cause), where=_where(cause, bench) + _offline(cause))}
    (bench.out / f"{token}.note").write_text(json.dumps(note))


def _where(error: BaseException, bench: Bench) -> str:
    """Name the participant's line in which the error was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename, bench)]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}: " if frames else ""


def _offline(error: BaseException) -> str:
    """Say that there is no network, if the error, or one that led to it, comes from asking for it."""
    told = "".join(traceback.format_exception(error))
    return f"{NO_NETWORK} Put files into the archive.\n" if wants_network(told) else ""


def _text(error: BaseException) -> str:
    """Format an exception from the participant's first frame on, without our frames above it."""
    linecache.clearcache()
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if not frame.filename.startswith(_OURS)), 0)
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames[first:])]
    lines += traceback.format_exception_only(type(error), error)
    return "".join(lines)


def _is_own(filename: str, bench: Bench) -> bool:
    return filename == ENTRY_POINT or filename.startswith(str(bench.submission))


_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120 - compared with frame file names

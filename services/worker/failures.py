"""Explains why a run failed, in words on which a participant can act.

Only the supervisor decides the kind of failure, from exit status, memory and files. From a note that the run wrote it
takes only the text, and only if the participant could have caused a failure of the noted kind.
"""

import builtins
import json
import os
import signal
import stat
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from services.core.models import FailureKind

__all__ = [
    "RunFailed",
    "bad_archive",
    "bad_checkpoint",
    "from_exit",
    "from_note",
    "from_notebook_note",
    "notebook_ended",
    "notebook_out_of_memory",
    "notebook_timeout",
    "out_of_memory",
    "read_plain",
    "timeout",
    "too_much_output",
]

MAX_NOTE_BYTES = 64 * 1024
HIDDEN = "This phase hides its data, so it shows no messages. Submit to the check phase to see them."
_CLAIMABLE = {FailureKind.REJECTED, FailureKind.IMPORT_ERROR, FailureKind.EXCEPTION, FailureKind.BAD_CHECKPOINT}
_SEEDLESS = {FailureKind.REJECTED, FailureKind.PLATFORM}


class RunFailed(Exception):
    """A run ended without a model."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class _Note(BaseModel):
    kind: FailureKind
    message: str = Field(max_length=10_000)
    exception: str = Field(max_length=200)
    line: int | None
    file: str | None = Field(max_length=200)


def timeout(seed: int, seeds: int, limit_s: float) -> RunFailed:
    """Explain a run that exceeded its time limit."""
    return RunFailed(
        FailureKind.TIMEOUT,
        f"Run {seed + 1} of {seeds} did not finish within {limit_s:g} s. Do less work in each call of unlearning().",
    )


def out_of_memory(seed: int, seeds: int, limit_bytes: int) -> RunFailed:
    """Explain a run that exceeded its memory limit."""
    return RunFailed(
        FailureKind.OUT_OF_MEMORY,
        f"Run {seed + 1} of {seeds} needed more memory than this phase allows ({limit_bytes / 2**20:.0f} MiB). "
        "Use smaller batches, or keep fewer copies of the data and of the model.",
    )


def too_much_output(what: str) -> RunFailed:
    """Explain a run that printed or wrote too much; `what` is the rest of the sentence "The run ..."."""
    return RunFailed(FailureKind.TOO_MUCH_OUTPUT, f"The run {what}. Print less, and write only small temporary files.")


def bad_checkpoint(seed: int, seeds: int, why: str) -> RunFailed:
    """Explain a run whose checkpoint cannot be measured."""
    return RunFailed(FailureKind.BAD_CHECKPOINT, f"The model of run {seed + 1} of {seeds} cannot be used: {why}.")


def from_exit(seed: int, seeds: int, *, code: int | None, signal_number: int | None) -> RunFailed:
    """Explain a run that left neither a checkpoint nor a note."""
    if signal_number == signal.SIGXFSZ:
        return too_much_output("wrote a file larger than the limit")
    if signal_number is not None:
        how = f"was killed by {signal.Signals(signal_number).name}"
    else:
        how = f"exited with status {code} before it returned a model"
    message = f"Run {seed + 1} of {seeds} {how}. Let unlearning() return normally, and look for crashes in native code."
    return RunFailed(FailureKind.EXCEPTION, message)


def bad_archive(why: str) -> RunFailed:
    """Explain a notebook whose checkpoints cannot be measured."""
    return RunFailed(FailureKind.BAD_CHECKPOINT, f"The notebook's checkpoints cannot be used: {why}.")


def notebook_timeout(limit_s: float) -> RunFailed:
    """Explain a notebook that exceeded its time limit."""
    return RunFailed(
        FailureKind.TIMEOUT,
        f"The notebook did not finish within {limit_s / 60:g} minutes. Do less work for each checkpoint, and write the "
        "zip without compression.",
    )


def notebook_out_of_memory(limit_bytes: int) -> RunFailed:
    """Explain a notebook that exceeded its memory limit."""
    return RunFailed(
        FailureKind.OUT_OF_MEMORY,
        f"The notebook needed more memory than this phase allows ({limit_bytes / 2**20:.0f} MiB). Do not keep a list "
        "of models, use smaller batches, and write large files to /kaggle/tmp, not to /tmp.",
    )


def notebook_ended(code: object) -> RunFailed:
    """Explain a notebook that left no note."""
    return RunFailed(
        FailureKind.EXCEPTION,
        f"The notebook's process exited with status {code} before the last cell. Look for crashes in native code.",
    )


def from_notebook_note(path: Path, *, data_hidden: bool) -> RunFailed | None:
    """Read the note of a failed notebook. None if there is no valid note.

    If the data are hidden, show only the exception's class, and only if it is one of Python's own.
    """
    try:
        note = _Note.model_validate(json.loads(read_plain(path)))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None
    if note.kind not in _CLAIMABLE:
        return None
    if not data_hidden:
        return RunFailed(note.kind, note.message)
    known = isinstance(getattr(builtins, note.exception, None), type)
    name = note.exception if known else "an exception"
    return RunFailed(note.kind, f"The notebook raised {name}. {HIDDEN}")


def from_note(path: Path, seed: int, seeds: int, submission: Path, *, data_hidden: bool) -> RunFailed | None:
    """Read the note of a failed run. None if there is no valid note.

    A message could leak hidden data. If the data are hidden, show only the exception's class, if it is one of Python's
    own, and the participant's own line, from our copy of the source.
    """
    try:
        note = _Note.model_validate(json.loads(read_plain(path)))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None
    if note.kind not in _CLAIMABLE:
        return None
    where = "" if note.kind in _SEEDLESS else f"Run {seed + 1} of {seeds}: "
    message = _redacted(note, submission) if data_hidden else note.message
    return RunFailed(note.kind, where + message)


def _redacted(note: _Note, submission: Path) -> str:
    known = isinstance(getattr(builtins, note.exception, None), type)
    name = note.exception if known else "an exception"
    source = _own_line(submission, note.file, note.line)
    return f"{name}{source}. {HIDDEN}"


def _own_line(submission: Path, file: str | None, line: int | None) -> str:
    path = submission / Path(file or "").name
    if line is None or not path.is_file():
        return ""
    lines = path.read_text(errors="replace").splitlines()
    return f" at {path.name}:{line}: {lines[line - 1].strip()[:200]}" if 0 < line <= len(lines) else ""


def read_plain(path: Path, limit: int = MAX_NOTE_BYTES) -> bytes:
    """Read at most `limit` bytes of a regular file without following links. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        return file.read(limit)

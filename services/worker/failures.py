"""Explains why a run failed, in words on which a participant can act.

Only the supervisor decides the kind of a failure, from exit status, memory and files. From a note that the run wrote it
takes only the text, and only if the participant could have caused a failure of the noted kind.

Theory of operation. Whatever leaves a sandbox may carry hidden data, so it is a SandboxText, which no message can
contain by accident. A RunFailed holds fixed words, which depend on the kind of the failure, on limits and on indexes
alone, and beside them the SandboxText that says more. `told` is the only way from that text to a person: it adds the
text if the data are public, and leaves it out if they are hidden. A failure that nobody passed through `told` shows its
fixed words.
"""

import signal
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from services.core.models import FailureKind
from services.core.numbering import run_in_words
from services.core.text import MAX_CHARACTERS, tidy
from services.worker.answers import parsed
from services.worker.runner.plain import open_plain

__all__ = [
    "RunFailed",
    "SandboxText",
    "bad_archive",
    "bad_checkpoint",
    "from_exit",
    "from_note",
    "from_notebook_note",
    "notebook_ended",
    "notebook_out_of_memory",
    "notebook_timeout",
    "out_of_memory",
    "platform",
    "read_plain",
    "timeout",
    "told",
    "too_much_output",
    "words",
]

log = structlog.get_logger()

MINUTE_S = 60.0
MAX_NOTE_BYTES = 128 * 1024  # JSON writes a character in up to 12 bytes
HIDDEN = "This phase hides its data, so it shows no messages. Submit to the check phase to see them."
_RUN = {
    FailureKind.REJECTED: "{run} found no unlearning() that it can call.",
    FailureKind.IMPORT_ERROR: "{run} could not import the submission.",
    FailureKind.EXCEPTION: "{run} ended before it returned a model.",
    FailureKind.BAD_CHECKPOINT: "The model of {run} cannot be used.",
}
_ON_GPU = {FailureKind.OUT_OF_MEMORY: "{run} needed more GPU memory than its slot has."}
_NOTEBOOK = {
    FailureKind.REJECTED: "The notebook cannot be read.",
    FailureKind.EXCEPTION: "The notebook ended before its last cell had run.",
    FailureKind.BAD_CHECKPOINT: "The notebook's checkpoints cannot be used.",
}
_CLAIMED_BY_NOTEBOOKS = {FailureKind.REJECTED, FailureKind.EXCEPTION}


@dataclass(frozen=True, slots=True)
class SandboxText:
    """Text that left a sandbox. A participant may have chosen every character of it."""

    _text: str = field(repr=False)


class RunFailed(Exception):
    """A run ended without a model; `message` is fixed words, and `detail` is whatever the sandbox said."""

    def __init__(self, kind: FailureKind, message: str, detail: SandboxText | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.detail = detail


def told(failure: RunFailed, *, data_hidden: bool) -> RunFailed:
    """Return the failure as a person may read it: with the sandbox's words, or without them if the data are hidden."""
    if failure.detail is None:
        return failure
    if data_hidden:
        return RunFailed(failure.kind, f"{failure.message} {HIDDEN}")
    where = failure.message.removesuffix(".") + ": "
    return RunFailed(failure.kind, where + words(failure.detail, data_hidden=data_hidden))


def words(text: SandboxText, *, data_hidden: bool, limit: int = MAX_CHARACTERS) -> str:
    """Return a sandbox's text as a person may read it; nothing if the data are hidden."""
    return "" if data_hidden else tidy(text._text, limit=limit)


def platform(what: str, said: str) -> RunFailed:
    """Explain a failure of ours. What a trusted sandbox said before it ended goes to the operator's log alone."""
    log.error("sandbox_broke", what=what, said=tidy(said))
    return RunFailed(FailureKind.PLATFORM, what)


def timeout(seed: int, seeds: int, limit_s: float) -> RunFailed:
    """Explain a run that exceeded its time limit."""
    return RunFailed(
        FailureKind.TIMEOUT,
        _sentence(
            f"{run_in_words(seed, seeds)} did not finish within {limit_s:g} s. Do less work in each call of "
            "unlearning()."
        ),
    )


def out_of_memory(seed: int, seeds: int, limit_bytes: int) -> RunFailed:
    """Explain a run that exceeded its memory limit."""
    return RunFailed(
        FailureKind.OUT_OF_MEMORY,
        _sentence(
            f"{run_in_words(seed, seeds)} needed more memory than this phase allows ({limit_bytes / 2**20:.0f} MiB). "
            "Use smaller batches, or keep fewer copies of the data and of the model."
        ),
    )


def too_much_output(what: str) -> RunFailed:
    """Explain a run that printed or wrote too much; `what` is the rest of the sentence "The run ..."."""
    return RunFailed(FailureKind.TOO_MUCH_OUTPUT, f"The run {what}. Print less, and write only small temporary files.")


def bad_checkpoint(seed: int, seeds: int, why: SandboxText) -> RunFailed:
    """Explain a run whose checkpoint cannot be measured."""
    return _of_run(FailureKind.BAD_CHECKPOINT, seed, seeds, why)


def from_exit(seed: int, seeds: int, *, code: object, signal_number: object) -> RunFailed:
    """Explain a run that left neither a checkpoint nor a note."""
    if signal_number == signal.SIGXFSZ:
        return too_much_output("wrote a file larger than the limit")
    how = f"exited with status {_number(code)}" if signal_number is None else f"was killed by {_name_of(signal_number)}"
    why = f"it {how}. Let unlearning() return normally, and look for crashes in native code."
    return _of_run(FailureKind.EXCEPTION, seed, seeds, SandboxText(why))


def bad_archive(why: SandboxText) -> RunFailed:
    """Explain a notebook whose checkpoints cannot be measured."""
    return RunFailed(FailureKind.BAD_CHECKPOINT, _NOTEBOOK[FailureKind.BAD_CHECKPOINT], why)


def notebook_timeout(limit_s: float, *, written: int, wanted: int, zipping: bool) -> RunFailed:
    """Explain a notebook that exceeded its time limit, by what it had written until then."""
    limit = f"{limit_s:g} s" if limit_s < 2 * MINUTE_S else f"{limit_s / MINUTE_S:.4g} minutes"
    count = f"{written} of {wanted} checkpoints were written"
    if written > wanted:
        count = f"{written} checkpoints were written, though LETHE_SEEDS asks for {wanted}"
    zipped = "; submission.zip was begun, so write it without compression (zip -0)" if zipping else ""
    return RunFailed(
        FailureKind.TIMEOUT,
        f"The notebook did not finish within {limit}; do less work for each checkpoint.",
        SandboxText(f"{count}{zipped}."),
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
    why = f"its process exited with status {_number(code)}. Look for crashes in native code."
    return RunFailed(FailureKind.EXCEPTION, _NOTEBOOK[FailureKind.EXCEPTION], SandboxText(why))


def from_notebook_note(path: Path) -> RunFailed | None:
    """Read the note of a failed notebook. None if there is no valid note."""
    kind, text = _read_note(path)
    if kind not in _CLAIMED_BY_NOTEBOOKS:
        return None
    return RunFailed(kind, _NOTEBOOK[kind], text)


def from_note(path: Path, seed: int, seeds: int, *, gpu: bool = False) -> RunFailed | None:
    """Read the note of a failed run. None if there is no valid note.

    Only on a GPU a run itself tells that memory was short: there torch refuses it, not the kernel.
    """
    kind, text = _read_note(path)
    return _of_run(kind, seed, seeds, text) if kind in _RUN or (gpu and kind in _ON_GPU) else None


def read_plain(path: Path, limit: int = MAX_NOTE_BYTES) -> bytes:
    """Read at most `limit` bytes of a regular file without following links. Raises OSError."""
    with open_plain(path) as file:
        return file.read(limit)


def _of_run(kind: FailureKind, seed: int, seeds: int, why: SandboxText) -> RunFailed:
    return RunFailed(kind, _sentence((_RUN | _ON_GPU)[kind].format(run=run_in_words(seed, seeds))), why)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _read_note(path: Path) -> tuple[FailureKind | None, SandboxText]:
    """Return the kind and the text of a note; no kind if the note is not valid."""
    try:
        note = parsed(read_plain(path), limit=MAX_NOTE_BYTES)
    except OSError:
        note = {}
    kind, message = note.get("kind"), note.get("message")
    if not isinstance(message, str) or kind not in list(FailureKind):
        return None, SandboxText("")
    return FailureKind(str(kind)), SandboxText(message)


def _name_of(number: object) -> str:
    """Name a signal; one that Python has no name for by its number."""
    named = {int(known): known.name for known in signal.Signals}
    return named.get(number, f"signal {number}") if type(number) is int else "a signal"


def _number(value: object) -> str:
    """Write a number that a sandbox reported; it may have reported anything."""
    return str(value) if type(value) is int else "unknown"

"""What a failure tells a participant: with hidden data, nothing that a sandbox said."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.models import FailureKind
from services.worker import failures
from services.worker.answers import integer, parsed
from services.worker.failures import HIDDEN, RunFailed, SandboxText, told, words

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HOSTILE = st.text(st.characters(), max_size=200)
KINDS = [kind.value for kind in FailureKind]
RUN = (2, 512)  # the index of a run, and how many there are

# Whatever a sandbox can say, by the way on which it comes to us.
SAID: dict[str, Callable[[Path, Any], RunFailed | None]] = {
    "a reason of the measurer": lambda _, said: failures.bad_checkpoint(*RUN, SandboxText(str(said))),
    "a reason of the intake": lambda _, said: failures.bad_archive(SandboxText(str(said))),
    "an exit status": lambda _, said: failures.from_exit(*RUN, code=said, signal_number=None),
    "a notebook's status": lambda _, said: failures.notebook_ended(said),
    "a note": lambda place, said: failures.from_note(_note(place, said), *RUN),
    "a notebook's note": lambda place, said: failures.from_notebook_note(_note(place, said)),
}


def _note(place: Path, said: Any) -> Path:
    note = place / "note"
    note.write_text(said if isinstance(said, str) else json.dumps(said), errors="surrogatepass")
    return note


@pytest.mark.parametrize("way", SAID)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_with_hidden_data_a_message_is_a_function_of_kind_and_indexes(tmp_path: Path, way: str, data: Any) -> None:
    """Two things said on one way that fail in one kind give one message, whatever they were."""
    note = {"kind": st.sampled_from(KINDS), "message": HOSTILE, "exception": HOSTILE, "line": ANYTHING}
    said = st.one_of(HOSTILE, ANYTHING, st.fixed_dictionaries(note))
    seen: dict[FailureKind, str] = {}
    for one in data.draw(st.lists(said, min_size=2, max_size=4)):
        failure = SAID[way](tmp_path, one)
        if failure is not None:
            hidden = told(failure, data_hidden=True)
            assert hidden.detail is None
            assert str(hidden) == hidden.message == seen.setdefault(failure.kind, hidden.message)
            assert hidden.message.endswith(HIDDEN)
            assert failure.message in hidden.message


@given(kind=st.sampled_from(KINDS), text=HOSTILE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_note_is_shown_with_its_run_and_fit_for_a_database(tmp_path: Path, kind: str, text: str) -> None:
    failure = failures.from_note(_note(tmp_path, {"kind": kind, "message": text}), *RUN)
    if failure is not None:
        shown = told(failure, data_hidden=False).message
        assert "un 3 of 512" in shown.split(":")[0]
        assert "\0" not in shown and shown.encode().decode() == shown


def test_only_what_a_participant_can_cause_is_believed(tmp_path: Path) -> None:
    believed = {
        kind for kind in FailureKind if failures.from_note(_note(tmp_path, {"kind": kind, "message": ""}), *RUN)
    }
    assert believed == {
        FailureKind.REJECTED,
        FailureKind.IMPORT_ERROR,
        FailureKind.EXCEPTION,
        FailureKind.BAD_CHECKPOINT,
    }


def test_only_on_a_gpu_a_run_tells_that_memory_was_short(tmp_path: Path) -> None:
    """There torch refuses memory, and the process goes on; on a CPU the kernel ends it, which the supervisor sees."""
    note = _note(tmp_path, {"kind": "out_of_memory", "message": "pixels"})
    assert failures.from_note(note, *RUN) is None
    found = failures.from_note(note, *RUN, gpu=True)
    assert found is not None and found.kind is FailureKind.OUT_OF_MEMORY
    assert "pixels" not in told(found, data_hidden=True).message
    assert failures.from_note(_note(tmp_path, {"kind": "timeout", "message": ""}), *RUN, gpu=True) is None


def test_text_of_a_sandbox_cannot_slip_into_a_message() -> None:
    text = SandboxText("pixels")
    assert "pixels" not in f"{text} {text!r}"
    assert words(text, data_hidden=True) == ""
    assert words(text, data_hidden=False) == "pixels"
    assert "pixels" not in str(RunFailed(FailureKind.EXCEPTION, "It failed.", text))


@pytest.mark.parametrize("number", [*range(1, 65), 1000, None, "9", [9], 2**70])
def test_every_signal_is_explained(number: Any) -> None:
    failure = failures.from_exit(*RUN, code=None, signal_number=number)
    expected = FailureKind.TOO_MUCH_OUTPUT if number == signal.SIGXFSZ else FailureKind.EXCEPTION
    assert told(failure, data_hidden=False).kind is expected


@given(line=st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_line_of_a_sandbox_is_an_object_or_nothing(line: bytes) -> None:
    found = parsed(line)
    assert isinstance(found, dict)
    assert all(0 <= integer(value, most=7) <= 7 for value in [*found.values(), line])


@pytest.mark.parametrize("line", [b"[" * 10_000, b'{"a":' * 10_000, b"9" * 10_000, b'{"a":1}' + b" " * 2**16])
def test_line_made_to_break_a_parser_is_nothing(line: bytes) -> None:
    assert parsed(line) == {}

"""Our side of the measurer: whose fault it is if a measurer breaks with a participant's checkpoint in hand."""

import base64
import json
import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.core.settings import Settings
from services.worker.failures import RunFailed, words
from services.worker.measurers import MeasurerAnswer, MeasurerProcess, Measurers
from services.worker.sandbox.base import Exited, Output, OutputLine, Spec
from services.worker.slots import Slot, make_slots

DIES = Exited(-9, out_of_memory=True)
READY = OutputLine(b'{"ready": {"python": "3.11.2", "torch": "2.13.0"}}')
Behaviour = Callable[[str], Output]


def well(token: str) -> Output:
    reading = base64.b64encode(b"reading").decode()
    return OutputLine(json.dumps({"token": token, "reading": reading, "checkpoint_sha256": "0" * 64}).encode())


def refusing(token: str) -> Output:
    return OutputLine(json.dumps({"token": token, "bad": "tensor weight contains NaN"}).encode())


def dying(_: str) -> Output:
    return DIES


class ScriptedProcess:
    """A measurer that gets ready, and then answers each token as it is told to."""

    def __init__(self, answer: Behaviour | None) -> None:
        self.outputs: queue.Queue[Output] = queue.Queue()
        self._answer = answer
        self.outputs.put(READY if answer else DIES)

    def send(self, line: bytes) -> None:
        if self._answer:
            self.outputs.put(self._answer(json.loads(line)["token"]))

    def check(self) -> None: ...

    def out_of_memory(self) -> bool:
        return False

    def log_tail(self) -> str:
        return "Traceback: pixels of a hidden image"

    def end(self) -> None:
        self.outputs.put(Exited(-9, out_of_memory=False))


class ScriptedSandbox:
    """Starts measurers that behave in turn as they are told to; None never gets ready."""

    name = "scripted"
    has_file_system = True

    def __init__(self, *behaviours: Behaviour | None) -> None:
        self.versions: dict[str, str] = {}
        self.self_test = "not run"
        self._behaviours: Iterator[Behaviour | None] = iter(behaviours)

    def start(self, spec: Spec) -> ScriptedProcess:
        return ScriptedProcess(next(self._behaviours))

    def answers(self) -> bool:
        return True

    def has_image(self, image_id: str) -> bool:
        return not image_id

    def size_bytes(self) -> int:
        return 0

    def end_orphans(self, live: set[str]) -> int:
        return 0

    def close(self) -> None: ...

    def provenance(self) -> dict[str, str]:
        return {}


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    (slot,) = make_slots(Settings(worker_slots=1), tmp_path / "work")
    return slot


def first_answer(measurer: MeasurerProcess, *tokens: str) -> MeasurerAnswer:
    for token in tokens:
        measurer.ask(token)
    while (answer := measurer.read(measurer.outputs.get(timeout=5))) is None:
        pass
    return answer


def test_a_reading_is_handed_on_and_its_checkpoint_deleted(bundle: Bundle, slot: Slot) -> None:
    (slot.checkpoints / "t").write_bytes(b"x")
    sandbox = ScriptedSandbox(well)
    answer = first_answer(MeasurerProcess(sandbox, slot, bundle), "t")
    assert (answer.token, answer.bad, answer.blob) == ("t", None, b"reading")
    assert not list(slot.checkpoints.iterdir())
    assert sandbox.versions == {"python": "3.11.2", "torch": "2.13.0"}


def test_checkpoint_that_is_a_directory_breaks_nothing(bundle: Bundle, slot: Slot) -> None:
    (slot.checkpoints / "t" / "inside").mkdir(parents=True)
    assert first_answer(MeasurerProcess(ScriptedSandbox(refusing), slot, bundle), "t").bad is not None


@pytest.mark.parametrize("breaks", [dying, lambda _: OutputLine(b"["), lambda _: OutputLine(b'{"token": "other"}')])
def test_checkpoint_that_breaks_two_measurers_is_bad_if_a_third_is_well(
    bundle: Bundle, slot: Slot, breaks: Behaviour
) -> None:
    measurer = MeasurerProcess(ScriptedSandbox(breaks, breaks, well), slot, bundle)
    answer = first_answer(measurer, "first", "second")
    assert answer.token == "first"
    assert answer.bad is not None
    assert words(answer.bad, data_hidden=False) == "the measurer ended while it measured it"
    assert not measurer.is_idle
    assert not list(slot.checkpoints.iterdir())


def test_a_measurer_that_was_ended_from_outside_costs_nobody_anything(bundle: Bundle, slot: Slot) -> None:
    """Another one measures everything that the first had not answered."""
    measurer = MeasurerProcess(ScriptedSandbox(dying, well), slot, bundle)
    assert first_answer(measurer, "first", "second") == MeasurerAnswer("first", None, b"reading", "0" * 64)
    assert first_answer(measurer) == MeasurerAnswer("second", None, b"reading", "0" * 64)
    assert measurer.is_idle


@pytest.mark.parametrize("fresh", [dying, refusing, None], ids=["dies", "refuses the original", "never gets ready"])
def test_a_measurer_that_breaks_on_our_own_model_is_our_failure(
    bundle: Bundle, slot: Slot, fresh: Behaviour | None
) -> None:
    with pytest.raises(RunFailed) as caught:
        first_answer(MeasurerProcess(ScriptedSandbox(dying, dying, fresh), slot, bundle), "t")
    assert (caught.value.kind, caught.value.message) == (FailureKind.PLATFORM, "The measurer ended.")


def test_a_measurer_that_never_gets_ready_is_our_failure_whatever_waits(bundle: Bundle, slot: Slot) -> None:
    with pytest.raises(RunFailed) as caught:
        first_answer(MeasurerProcess(ScriptedSandbox(None, well), slot, bundle), "t")
    assert caught.value.kind is FailureKind.PLATFORM


def test_checkpoint_that_holds_a_measurer_up_is_bad(
    bundle: Bundle, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = MeasurerProcess(ScriptedSandbox(lambda _: READY, lambda _: READY, well), slot, bundle)
    asleep.ask("t")
    assert asleep.read(asleep.outputs.get()) is None
    assert asleep.outputs.get() == READY  # what it says while it should answer
    asleep.raise_if_late()
    assert asleep.outputs.empty()
    monkeypatch.setattr("services.worker.measurers.ANSWER_TIMEOUT_S", -1.0)
    asleep.raise_if_late()
    assert asleep.read(asleep.outputs.get()) is None
    assert (asleep.read(asleep.outputs.get()), asleep.outputs.get()) == (None, READY)  # another one sleeps, too
    asleep.raise_if_late()
    answer = asleep.read(asleep.outputs.get())
    assert answer is not None and answer.bad is not None


def test_a_measurer_with_files_of_a_failed_run_in_hand_is_not_kept(bundle: Bundle, slot: Slot) -> None:
    measurers = Measurers(ScriptedSandbox(well, well, well))
    first = measurers.of(slot, bundle)
    first_answer(first, "t")
    assert measurers.of(slot, bundle) is first
    first.ask("left behind")
    second = measurers.of(slot, bundle)
    assert second is not first
    second.end()
    assert measurers.of(slot, bundle) is not second


ANSWERS = st.dictionaries(
    st.sampled_from(["token", "bad", "reading", "checkpoint_sha256", "ready"]),
    st.none() | st.just("t") | st.text(max_size=9) | st.lists(st.integers(), max_size=2) | st.just("0" * 64),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(said=ANSWERS)
def test_any_answer_is_read_or_typed(bundle: Bundle, slot: Slot, said: dict[str, Any]) -> None:
    line = OutputLine(json.dumps(said).encode())
    answer = first_answer(MeasurerProcess(ScriptedSandbox(lambda _: line, well), slot, bundle), "t")
    assert answer.token == "t"
    assert answer.bad is not None or answer.checkpoint_sha256 == "0" * 64

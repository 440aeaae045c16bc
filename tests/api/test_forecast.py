"""A forecast before a slot is spent: from runs of the same code whose data are public, and from the queue."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import inspect, update

from services.core.models import BenchmarkRow, Device, MeasurementRow, Phase, PhaseKind, Reference, WorkerRow
from services.core.queue.workers import report
from services.core.store.database import utc_now
from tests.api.harness import MODULE, SUBMIT, Api, Caller, add_benchmark, numbered
from tests.api.scores import measure, put, score

CHECK = f"{SUBMIT}/check"
TRY = "/api/competitions/cup/phases/try/submissions"
NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": [], "execution_count": None}],
    }
).encode()


def worker() -> WorkerRow:
    return WorkerRow(
        name="w1",
        slots=2,
        slots_busy=0,
        device_classes=["cpu-x86_64"],
        sandbox="docker",
        environments=["current"],
        version="1",
        free_disk_bytes=1,
        started_at=utc_now(),
    )


@pytest.fixture
def tried(api: Api, phase: Phase) -> Phase:
    """A check phase on the same benchmark, beside the phase `feedback`, which hides its data."""
    with api.database.write() as session:
        session.execute(update(Phase).values(data_hidden=True))
        values = {column.key: getattr(phase, column.key) for column in inspect(Phase).column_attrs}
        for name in ("id", "created_at", "board_moved_at"):
            del values[name]
        row = Phase(**values | {"slug": "try", "kind": PhaseKind.CHECK, "data_hidden": False})
        session.add(row)
    return row


def run_there(
    api: Api,
    caller: Caller,
    run_s: list[float],
    *,
    memory: int = 10**8,
    data: bytes = MODULE,
    filename: str = "entry.py",
) -> UUID:
    """Let an entry run in the check phase."""
    answer = caller.post(TRY, content=data, params={"filename": filename})
    evaluation_id = UUID(answer.json()["evaluation_id"])
    with api.database.write() as session:
        measure(session, evaluation_id)
        for seed, seconds in enumerate(run_s):
            row = {"seed": seed, "run_s": seconds, "peak_memory_bytes": memory, "checkpoint_sha256": "0" * 64}
            session.add(MeasurementRow(evaluation_id=evaluation_id, **row))
    return evaluation_id


def foretold(caller: Caller, data: bytes = MODULE, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = caller.post(CHECK, content=data, params={"filename": "entry.py"} | query).json()["forecast"]
    return found


def test_code_that_never_ran_has_a_place_in_the_queue_alone(phase: Phase, participant: Caller) -> None:
    found = foretold(participant)
    assert (found["run_s"], found["peak_memory_bytes"], found["runs"], found["warnings"]) == (None, None, 0, [])
    assert found["place"]["ahead"] == 0


def test_time_and_memory_follow_from_the_check_phase(api: Api, tried: Phase, participant: Caller) -> None:
    run_there(api, participant, [2.0, 3.0, 4.0])

    found = foretold(participant, MODULE + b"# another comment\n")

    assert (found["phase"], found["benchmark"], found["runs"], found["scale"]) == ("try", "tiny", 3, 1.0)
    assert found["run_s"]["expected"] == 3.0
    assert found["run_s"]["low"] < 2.0 and found["run_s"]["high"] > 4.0
    assert (found["total_s"], found["peak_memory_bytes"], found["warnings"]) == (24.0, 10**8, [])
    assert foretold(participant, numbered(1))["runs"] == 0


def test_what_others_ran_tells_nothing(api: Api, tried: Phase, participant: Caller) -> None:
    run_there(api, participant, [2.0, 3.0])
    assert foretold(api.caller("lee"))["runs"] == 0


def test_runs_where_data_are_hidden_tell_nothing(api: Api, tried: Phase, participant: Caller) -> None:
    run_there(api, participant, [2.0, 3.0])
    with api.database.write() as session:
        session.execute(update(Phase).values(data_hidden=True))
    assert foretold(participant)["runs"] == 0


def test_runs_on_another_device_tell_nothing(api: Api, tried: Phase, participant: Caller) -> None:
    run_there(api, participant, [2.0, 3.0])
    with api.database.write() as session:
        session.execute(update(Phase).where(Phase.slug == "feedback").values(device=Device.GPU))
    assert foretold(participant)["runs"] == 0


@pytest.mark.parametrize(
    ("architecture", "retain", "scale"), [("linear", 400, 4.0), ("linear", 0, None), ("resnet18", 400, None)]
)
def test_times_on_another_benchmark_grow_with_its_training_set(
    api: Api, tried: Phase, participant: Caller, architecture: str, retain: int, scale: float | None
) -> None:
    with api.database.write() as session:
        small = {"oracle_seeds": 512, "architecture": "linear", "counts": {"retain": 90, "forget": 10}}
        session.execute(update(BenchmarkRow).values(manifest=small))
        large = add_benchmark(session, "large", "e" * 64)
        large.manifest = {"architecture": architecture, "counts": {"retain": retain, "forget": 0}}
        session.execute(update(Phase).where(Phase.slug == "feedback").values(benchmark_id=large.id))
    run_there(api, participant, [2.0, 2.0])

    found = foretold(participant)

    if scale is None:
        assert found["run_s"] is None
    else:
        assert (found["scale"], found["run_s"]["expected"], found["benchmark"]) == (scale, 8.0, "tiny")


def test_limits_that_are_likely_to_break_are_warned_of(
    api: Api, phase: Phase, tried: Phase, participant: Caller
) -> None:
    run_there(api, participant, [9.0, 9.9, 10.4], memory=3 * 1024**3)
    put(api, phase, "organiser's", 0.1, reference=Reference.RETRAIN, run_s=20.0)

    time, memory, ratio = foretold(participant)["warnings"]

    assert "at times 10.9 s" in time and "phase feedback ends it after 10 s" in time
    assert "needed 3072 MiB of memory, and phase feedback allows 2048 MiB" in memory
    assert "ranks nothing above 20%" in ratio


def test_a_notebook_is_held_against_the_time_of_all_its_runs(api: Api, tried: Phase, participant: Caller) -> None:
    with api.database.write() as session:
        takes = {"notebooks": True, "notebook_timeout_s": 79.0, "kind": PhaseKind.FEEDBACK}
        session.execute(update(Phase).values(**takes))
    run_there(api, participant, [9.0, 10.0, 11.0], data=NOTEBOOK, filename="entry.ipynb")

    (warning,) = foretold(participant, NOTEBOOK, filename="entry.ipynb")["warnings"]

    assert warning.startswith("The notebook is likely to take 80 s, and phase feedback ends it after 79 s.")


def test_the_end_follows_from_the_codes_own_runs(api: Api, tried: Phase, participant: Caller) -> None:
    with api.database.write() as session:
        report(session, worker())
    for number in range(3):
        evaluation_id = UUID(participant.submit(numbered(number)).json()["evaluation_id"])
        with api.database.write() as session:
            measure(session, evaluation_id)
            row = {"seed": 0, "run_s": 1.0 + number / 10, "peak_memory_bytes": 1, "checkpoint_sha256": "0" * 64}
            session.add(MeasurementRow(evaluation_id=evaluation_id, **row))
            score(session, evaluation_id, 0.1)
    before = foretold(participant)["place"]
    run_there(api, participant, [100.0, 101.0, 102.0])
    after = foretold(participant)["place"]

    ends_in = [datetime.fromisoformat(one["ends"]["expected"]) - utc_now() for one in (before, after)]
    assert ends_in[0] < timedelta(seconds=60)
    assert ends_in[1] > timedelta(seconds=300)
    assert before["starts"] is not None and after["starts"] is not None


def test_a_team_that_is_not_ones_own_is_refused(phase: Phase, participant: Caller) -> None:
    answer = participant.post(CHECK, content=MODULE, params={"filename": "entry.py", "team": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_in_team")

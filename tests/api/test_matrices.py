"""Matrices: chosen entries on chosen benchmarks, seen by those who run or review the competition, and by no board."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.core.models import (
    AuditEvent,
    Evaluation,
    FailureKind,
    LeaderboardEntry,
    Line,
    Matrix,
    Phase,
    Submission,
    Team,
)
from services.core.queue.lifecycle import fail, lock_evaluation
from services.scorer.matrices import Matrices
from services.scorer.stores import Stores
from tests.api.harness import BOARD, Api, Caller, add_benchmark
from tests.api.scores import measure, publish, score

PATH = "/api/competitions/cup/matrices"
START = "/api/competitions/cup/phases/feedback/matrices"
GONE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def entries(api: Api, phase: Phase) -> list[str]:
    """Three scored entries of the phase; benchmarks `tiny`, `other` and, with an oracle of 4 models, `small`."""
    with api.database.write() as session:
        add_benchmark(session, "other", "e" * 64)
        small = add_benchmark(session, "small", "f" * 64)
        small.manifest = {"oracle_seeds": 4}
        found = []
        for name, final_score in (("a", 0.3), ("b", 0.2), ("c", 0.1)):
            team = Team(name=name)
            session.add(team)
            session.flush()
            entry = publish(session, session.get_one(Phase, phase.id), team, final_score)
            found.append(str(entry.submission_id))
        return found


def body(entries: list[str], *benchmarks: str, **changes: Any) -> dict[str, Any]:
    return {"title": "Other data", "entries": entries, "benchmarks": list(benchmarks or ("tiny", "other"))} | changes


def start(organiser: Caller, entries: list[str], *benchmarks: str, **changes: Any) -> dict[str, Any]:
    answer = organiser.post(START, json=body(entries, *benchmarks, **changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def keep(api: Api) -> int:
    return Matrices(Stores(api.database, api.state.blobs, api.state.settings)).keep()


def finish(api: Api, matrix: dict[str, Any], scores: list[list[float | None]]) -> None:
    """Score the runs, row by row as the entries were named; those of None fail."""
    with api.database.write() as session:
        for entry, row in zip(matrix["items"], scores, strict=True):
            for cell, value in zip(entry["cells"], row, strict=True):
                evaluation_id = UUID(cell["evaluation_id"])
                if value is None:
                    fail(session, lock_evaluation(session, evaluation_id), FailureKind.EXCEPTION, "no such layer")
                else:
                    measure(session, evaluation_id)
                    score(session, evaluation_id, value, margin=1e-6)


def test_entries_are_run_on_each_benchmark_and_ranked_by_mean_rank(
    api: Api, organiser: Caller, entries: list[str]
) -> None:
    made = start(organiser, entries)
    assert (made["runs"], made["ended"], made["settled_at"]) == (6, 0, None)
    assert [one["name"] for one in made["columns"]] == ["tiny", "other"]

    finish(api, made, [[0.1, 0.5], [0.3, 0.6], [0.2, 0.1]])
    assert organiser.get(f"{PATH}/{made['id']}").json()["behind"] is True
    assert keep(api) == 1
    assert keep(api) == 0

    shown = organiser.get(f"{PATH}/{made['id']}").json()
    assert (shown["behind"], shown["ended"], shown["settled_at"] is None) == (False, 6, False)
    assert [(one["team"], one["rank"], one["mean_rank"]) for one in shown["items"]] == [
        ("b", 1, 1.0),
        ("a", 2, 2.5),
        ("c", 2, 2.5),
    ]
    assert [[cell["rank"] for cell in one["cells"]] for one in shown["items"]] == [[1, 1], [3, 2], [2, 3]]
    for one in shown["items"]:
        assert 1 <= one["mean_low"] <= one["mean_rank"] <= one["mean_high"] <= 3


def test_an_entry_that_fails_on_one_benchmark_has_no_mean_rank(api: Api, organiser: Caller, entries: list[str]) -> None:
    made = start(organiser, entries[:2])
    finish(api, made, [[0.9, None], [0.1, 0.1]])
    keep(api)

    shown = organiser.get(f"{PATH}/{made['id']}").json()

    assert [(one["team"], one["rank"]) for one in shown["items"]] == [("b", 1), ("a", None)]
    failed = shown["items"][1]["cells"][1]
    assert (failed["state"], failed["failure_kind"], failed["failure"]) == ("failed", "exception", "no such layer")
    assert shown["settled_at"] is not None


def test_no_board_moves_and_no_team_sees_it(api: Api, organiser: Caller, entries: list[str]) -> None:
    """Also a rescoring of the phase leaves the runs alone."""
    before = api.anonymous.get(BOARD).json()
    made = start(organiser, entries)
    finish(api, made, [[0.9, 0.9]] * 3)
    keep(api)

    assert api.anonymous.get(BOARD).json() == before
    with api.database.read() as session:
        runs = {UUID(cell["evaluation_id"]) for one in made["items"] for cell in one["cells"]}
        assert session.scalars(select(Submission).where(Submission.evaluation_id.in_(runs))).all() == []
        assert len(session.scalars(select(LeaderboardEntry)).all()) == 3
    stranger = api.caller("stranger")
    for path in (PATH, f"{PATH}/{made['id']}", f"{PATH}/{made['id']}/table.csv"):
        assert stranger.get(path).status_code == 403
        assert api.anonymous.get(path).status_code == 401


def test_runs_have_the_limits_of_the_phase_and_fresh_seeds(
    api: Api, organiser: Caller, phase: Phase, entries: list[str]
) -> None:
    """They wait in the line that belongs to no team."""
    before = in_nobodys_line(api)
    made = start(organiser, entries[:1], seeds=4)

    with api.database.read() as session:
        runs = session.scalars(select(Evaluation).where(Evaluation.seeds == 4)).all()
        assert {(run.phase_id, run.benchmark.name) for run in runs} == {(phase.id, "tiny"), (phase.id, "other")}
        keys = [run.seed_key for run in session.scalars(select(Evaluation))]
        assert len(set(keys)) == len(keys)
    assert in_nobodys_line(api) == before + 2
    assert made["seeds"] == 4


def in_nobodys_line(api: Api) -> int:
    with api.database.read() as session:
        return session.scalars(select(Line.queued).where(Line.team_id.is_(None))).one()


def test_cancelling_stops_what_has_not_ended(api: Api, organiser: Caller, entries: list[str]) -> None:
    made = start(organiser, entries[:1])
    finish(api, {"items": [{"cells": made["items"][0]["cells"][:1]}]}, [[0.5]])

    shown = organiser.post(f"{PATH}/{made['id']}/cancel").json()

    assert [one["state"] for one in shown["items"][0]["cells"]] == ["scored", "cancelled"]
    assert shown["cancelled_at"] is not None
    again = organiser.post(f"{PATH}/{made['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "matrix_ended")
    with api.database.read() as session:
        acts = list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.created_at)))
    assert [act for act in acts if act.startswith("matrix")] == ["matrix_started", "matrix_cancelled"]


def test_the_table_is_exported_without_formulas(api: Api, organiser: Caller, entries: list[str]) -> None:
    with api.database.write() as session:
        session.get_one(Submission, UUID(entries[0])).name = "=1+1"
    made = start(organiser, entries)
    finish(api, made, [[0.1, 0.5], [0.3, 0.6], [0.2, None]])
    keep(api)

    answer = organiser.get(f"{PATH}/{made['id']}/table.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["team"], row["benchmark"], row["state"]) for row in rows] == [
        ("b", "tiny", "scored"),
        ("b", "other", "scored"),
        ("a", "tiny", "scored"),
        ("a", "other", "scored"),
        ("c", "tiny", "scored"),
        ("c", "other", "failed"),
    ]
    assert (rows[0]["final_score"], rows[0]["overall_rank"], rows[5]["final_score"]) == ("0.3", "1", "")
    assert rows[2]["name"] == "'=1+1"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"entries": [GONE]}, 422, "matrix_entry"),
        ({"benchmarks": ["nowhere"]}, 422, "unknown_benchmark"),
        ({"benchmarks": ["tiny", "d" * 64]}, 422, "bad_input"),
        ({"benchmarks": ["small"]}, 422, "too_many_models"),
        ({"entries": []}, 422, None),
        ({"benchmarks": []}, 422, None),
    ],
)
def test_what_cannot_be_run_is_refused_whole(
    api: Api, organiser: Caller, entries: list[str], changes: dict[str, Any], status: int, code: str | None
) -> None:
    refused = organiser.post(START, json=body(entries) | changes)

    assert refused.status_code == status, refused.text
    assert code is None or refused.json()["code"] == code
    with api.database.read() as session:
        assert session.scalars(select(Matrix)).all() == []


def test_an_entry_is_named_once_and_must_be_scored(api: Api, organiser: Caller, entries: list[str]) -> None:
    waiting = api.caller("ada").submit().json()["id"]

    for wrong in ([entries[0]] * 2, [waiting]):
        refused = organiser.post(START, json=body(wrong))
        assert (refused.status_code, refused.json()["code"]) == (422, "matrix_entry")


def test_a_matrix_has_a_largest_size(api: Api, organiser: Caller, entries: list[str]) -> None:
    with api.database.write() as session:
        for number in range(40):
            add_benchmark(session, f"more-{number}", f"{number:064x}")

    refused = organiser.post(START, json=body(entries * 1, *(f"more-{number}" for number in range(20))))
    assert refused.status_code == 201
    many = [*entries, *(str(UUID(int=number)) for number in range(97))]
    refused = organiser.post(START, json=body(many))
    assert refused.status_code == 422


def test_matrices_are_listed_newest_first_and_belong_to_their_competition(
    api: Api, organiser: Caller, entries: list[str]
) -> None:
    first, second = start(organiser, entries[:1]), start(organiser, entries[:2], title="Again")
    organiser.post("/api/competitions", json={"slug": "other", "title": "Other"})

    listed = organiser.get(PATH).json()["items"]

    assert [(one["id"], one["entries"]) for one in listed] == [(second["id"], 2), (first["id"], 1)]
    assert listed[0]["benchmarks"] == ["tiny", "other"]
    assert organiser.get(f"/api/competitions/other/matrices/{first['id']}").status_code == 404

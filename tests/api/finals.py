"""A sealed final in a test: made by its organiser, started, and its runs ended as workers and scorers would."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select

from services.core.board import pointers
from services.core.models import Entered, FailureKind, Phase, State, Submission
from services.core.queue.lifecycle import fail, lock_evaluation
from services.core.store.database import utc_now
from services.scorer.finals.keeping import Finals
from services.scorer.stores import Stores
from tests.api.harness import Api, Caller, add_benchmark, keep_boards
from tests.api.scores import measure, score

PHASES = "/api/competitions/cup/phases"
FINAL = f"{PHASES}/final/final"


def make_final(organiser: Caller, **changes: Any) -> dict[str, Any]:
    """Make the phase `final` of `cup`, whose selection ends in an hour."""
    body = {
        "slug": "final",
        "kind": "final",
        "benchmark": "tiny",
        "opens_at": (utc_now() + timedelta(hours=1)).isoformat(),
        "closes_at": (utc_now() + timedelta(days=1)).isoformat(),
        "seeds": 8,
        "shard_seeds": 4,
        "metric": "neurips-2023",
    }
    answer = organiser.post(PHASES, json=body | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def add_second_benchmark(api: Api) -> None:
    with api.database.write() as session:
        add_benchmark(session, "second", "e" * 64)


def choose(caller: Caller, submission_id: UUID) -> httpx2.Response:
    return caller.request("PUT", f"{FINAL}/selection/{submission_id}")


def take_back(caller: Caller, submission_id: UUID) -> httpx2.Response:
    return caller.request("DELETE", f"{FINAL}/selection/{submission_id}")


def chosen(caller: Caller) -> list[str]:
    """List the ids of what the caller's team enters."""
    answer = caller.get(f"{FINAL}/selection")
    assert answer.status_code == 200, answer.text
    return [one["submission_id"] for one in answer.json()["entries"]]


def keep(api: Api) -> None:
    """Do what a scorer does for finals, until nothing is left to do."""
    stores = Stores(api.database, api.state.blobs, api.state.settings)
    keep_boards(stores)
    finals = Finals(stores, every_s=0.0)
    for _ in range(5):
        finals.keep()


def start(api: Api, organiser: Caller) -> dict[str, Any]:
    """Start the final, and enter its teams."""
    answer = organiser.post(f"{FINAL}/start")
    assert answer.status_code == 200, answer.text
    keep(api)
    found: dict[str, Any] = answer.json()
    return found


def entries_of(api: Api, slug: str = "final") -> dict[str, Submission]:
    """Find the entries of a final's phase, by their names."""
    with api.database.read() as session:
        found = select(Submission).join(Entered, Entered.submission_id == Submission.id)
        rows = session.scalars(found.where(Submission.phase.has(Phase.slug == slug)))
        return {f"{row.team.name}/{row.name}": row for row in rows}


def end_runs(api: Api, scores: Mapping[str, float | None], slug: str = "final") -> None:
    """End the runs of a final's entries: by name of the team, a score, or None for a failure."""
    with api.database.write() as session:
        for entry in entries_of(api, slug).values():
            own = session.get_one(Submission, entry.id)
            value = scores[own.team.name]
            if own.evaluation.state is not State.QUEUED:
                continue
            if value is None:
                fail(session, lock_evaluation(session, own.evaluation_id), FailureKind.EXCEPTION, "boom")
            else:
                measure(session, own.evaluation_id)
                pointers.publish(session, own, score(session, own.evaluation_id, value))
    keep(api)


def publish(organiser: Caller, **body: Any) -> httpx2.Response:
    return organiser.post(f"{FINAL}/publish", json=body)

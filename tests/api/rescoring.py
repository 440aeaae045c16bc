"""A phase that is rescored: entries on its board, campaigns begun, and what scorer and worker do meanwhile."""

from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select

from services.core.board import campaigns, pointers, rescoring
from services.core.models import FailureKind, LeaderboardEntry, Phase, ReRun, Submission, Team
from services.core.queue.lifecycle import fail, lock_evaluation
from tests.api.harness import BOARD, Api, Caller, numbered
from tests.api.scores import measure, publish, score

PHASE = "/api/competitions/cup/phases/feedback"
CAMPAIGNS = f"{PHASE}/campaigns"


def put(api: Api, phase: Phase, team: str, old: float, new: float | None, **options: Any) -> LeaderboardEntry:
    """Put a new team on the board, with a score by the phase's metric and perhaps one by lethe-1."""
    with api.database.write() as session:
        row = Team(name=team)
        session.add(row)
        session.flush()
        entry = publish(session, session.get_one(Phase, phase.id), row, old, **options)
        if new is not None:
            score(session, session.get_one(Submission, entry.submission_id).evaluation_id, new, metric="lethe-1")
        return entry


def add_score(api: Api, entry: LeaderboardEntry, value: float) -> None:
    with api.database.write() as session:
        evaluation = session.get_one(Submission, entry.submission_id).evaluation
        score(session, evaluation.id, value, metric="lethe-1")
        campaigns.take_back(session, evaluation, {"lethe-1"})
        for campaign in campaigns.open_campaigns(session):
            rescoring.settle(session, campaign)


def set_aside(api: Api, entry: LeaderboardEntry, reason: str) -> None:
    """Give up on an entry's score by the open campaign's metric, as a scorer does."""
    with api.database.write() as session:
        (campaign,) = campaigns.open_campaigns(session)
        evaluation_id = session.get_one(Submission, entry.submission_id).evaluation_id
        campaigns.set_aside(session, campaign.id, evaluation_id, reason)
        rescoring.settle(session, campaign)


def names(api: Api) -> list[str]:
    return [item["entry"] for item in api.anonymous.get(BOARD).json()["items"]]


def shown_scores(api: Api) -> list[float]:
    return [item["final_score"] for item in api.anonymous.get(BOARD).json()["items"]]


def standing_scores(api: Api, phase: Phase) -> dict[Any, Any]:
    with api.database.read() as session:
        return {key: entry.score_id for key, entry in pointers.current(session, phase).items()}


def begin(organiser: Caller, **body: Any) -> dict[str, Any]:
    answer = organiser.post(CAMPAIGNS, json={"metric": "lethe-1", **body})
    assert answer.status_code == 201, answer.text
    return look_at(organiser, answer.json())


def look_at(organiser: Caller, campaign: dict[str, Any]) -> dict[str, Any]:
    """Show a rescoring once the scorer has gone on with it."""
    (found,) = [one for one in organiser.get(CAMPAIGNS).json()["items"] if one["id"] == campaign["id"]]
    shown: dict[str, Any] = found
    return shown


def undo(organiser: Caller) -> dict[str, Any]:
    """Undo the newest rescoring of the phase; show it once the scorer has done so."""
    answer = organiser.post(f"{PHASE}/undo")
    assert answer.status_code == 200, answer.text
    return look_at(organiser, answer.json())


def moves_of(organiser: Caller, campaign: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = organiser.get(f"{CAMPAIGNS}/{campaign['id']}/moves").json()["items"]
    return found


def go_live(organiser: Caller, campaign: dict[str, Any]) -> httpx2.Response:
    """Publish a rescoring; the scorer moves the pointers before this returns, unless a score is missing."""
    return organiser.post(f"{CAMPAIGNS}/{campaign['id']}/publish")


def prepare_re_run(api: Api, organiser: Caller, value: float | None) -> dict[str, Any]:
    """Begin a campaign of new runs and end them, so that it can be published."""
    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    end_runs(api, campaign, value)
    return campaign


def run_all_again(api: Api, organiser: Caller, value: float | None) -> dict[str, Any]:
    campaign = prepare_re_run(api, organiser, value)
    assert go_live(organiser, campaign).status_code == 200
    return campaign


def run_again(api: Api, phase: Phase, values: dict[str, float | None]) -> None:
    """End the new runs of the open campaign: by team, the new score, or None for a failure."""
    with api.database.write() as session:
        for run in session.scalars(select(ReRun)):
            submission = session.scalars(select(Submission).where(Submission.evaluation_id == run.replaced_id)).one()
            value = values[session.get_one(Team, submission.team_id).name]
            if value is None:
                fail(session, lock_evaluation(session, run.evaluation_id), FailureKind.EXCEPTION, "boom")
            else:
                measure(session, run.evaluation_id)
                score(session, run.evaluation_id, value)
        for campaign in campaigns.open_campaigns(session):
            rescoring.settle(session, campaign)


def end_runs(api: Api, campaign: dict[str, Any], value: float | None) -> None:
    """End the runs of one campaign, all with the same score or all as failures."""
    with api.database.write() as session:
        for run in session.scalars(select(ReRun).where(ReRun.campaign_id == UUID(campaign["id"]))):
            if value is None:
                fail(session, lock_evaluation(session, run.evaluation_id), FailureKind.EXCEPTION, "boom")
            else:
                measure(session, run.evaluation_id)
                score(session, run.evaluation_id, value)
        for open_one in campaigns.open_campaigns(session):
            rescoring.settle(session, open_one)


def submit_scored(api: Api, caller: Caller, code: bytes, value: float, **others: float) -> UUID:
    """Submit, score by the phase's metric and others, and move the pointer, as worker and scorer would."""
    made = caller.submit(code)
    assert made.status_code == 201, made.text
    return score_submitted(api, UUID(made.json()["id"]), value, **others)


def score_submitted(api: Api, submission_id: UUID, value: float, **others: float) -> UUID:
    with api.database.write() as session:
        own = session.get_one(Submission, submission_id)
        measure(session, own.evaluation_id)
        rows = [score(session, own.evaluation_id, number, metric=name) for name, number in others.items()]
        assert len(rows) == len(others)
        pointers.publish(session, own, score(session, own.evaluation_id, value))
        return own.id


def code(number: int) -> bytes:
    return numbered(number)

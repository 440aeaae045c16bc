"""An organiser rescores a phase from the command line, by real services: from stored readings, and from new runs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from services.cli.endings import Ending
from services.core.models import Competition, Evaluation, Phase, Score
from services.core.settings import SandboxKind
from tests.entries import NOISE, STILL
from tests.installation import Installation, fresh_cup, installation_of

__all__ = ["installation_of"]

PHASE = ("-c", "cup", "-p", "feedback")
OPERATOR = ("--team", "operator")


@pytest.fixture
def installation(installation_of: Callable[[SandboxKind], Installation]) -> Iterator[Installation]:
    """A competition of its own for every test, in an installation that they share; all runs are in one sandbox."""
    with fresh_cup(installation_of(SandboxKind.PROCESS)) as opened:
        yield opened


def rescore(installation: Installation, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(installation.lethe("rescore", *PHASE, "--json", *arguments).stdout)
    return found


def board(installation: Installation) -> list[tuple[str, float]]:
    entries = installation.client.board("/api/competitions/cup/phases/feedback/leaderboard")
    return [(entry["entry"], entry["final_score"]) for entry in entries]


def numbers(row: Score) -> dict[str, Any]:
    kept = {column.name for column in Score.__table__.columns} - {"id", "created_at"}
    return {name: getattr(row, name) for name in kept}


def test_rescoring_from_what_was_measured(installation: Installation, tmp_path: Path) -> None:
    """The scores by the other metric are taken away first, so that they must be computed anew: the same ones come."""
    for team, source in (("loud", NOISE), ("still", STILL)):
        installation.client.post("/api/teams", {"name": team})
        installation.submit(source, tmp_path, "--team", team, "--wait")
    before = board(installation)
    with installation.database.write() as session:
        taken = {row.evaluation_id: numbers(row) for row in session.scalars(select(Score).where(_other))}
        session.execute(delete(Score).where(_other))
    assert len(taken) == 2

    looked_at = rescore(installation, "--metric", "lethe-1")
    assert (looked_at["state"], looked_at["done"], board(installation)) == ("ready", 2, before)
    with installation.database.read() as session:
        assert {row.evaluation_id: numbers(row) for row in session.scalars(select(Score).where(_other))} == taken

    assert rescore(installation, "--metric", "lethe-1", "--publish")["state"] == "published"
    by_evaluation = sorted((row["final_score"] for row in taken.values()), reverse=True)
    assert [score for _, score in board(installation)] == by_evaluation
    assert rescore(installation, "--undo")["state"] == "undone"
    assert board(installation) == before
    refused = installation.lethe("rescore", *PHASE, "--undo", check=False)
    assert (refused.returncode, "No rescoring" in refused.stderr) == (Ending.REFUSED, True)


def test_running_again_takes_the_new_run_whatever_it_brings(installation: Installation, tmp_path: Path) -> None:
    scored = installation.submit(NOISE, tmp_path, *OPERATOR, "--wait")
    shown = rescore(installation, "--metric", "neurips-2023", "--re-run", "--publish")
    assert (shown["state"], shown["re_run"]) == ("published", True)
    with installation.database.read() as session:
        scores = session.scalars(select(Score).where(_of_cup, Score.metric == "neurips-2023")).all()
        new = next(row for row in scores if str(row.evaluation_id) != scored["evaluation_id"])
        assert len({row.final_score for row in scores}) == 2
    assert [score for _, score in board(installation)] == [new.final_score]
    text = installation.lethe("rescore", *PHASE, "--undo")
    assert "Undone" in text.stderr
    assert [score for _, score in board(installation)] == [scored["score"]["final_score"]]


def test_a_lucky_old_entry_does_not_take_the_place_of_a_new_run(installation: Installation, tmp_path: Path) -> None:
    """Else the better of two draws would count. The old entry's luck is written into the database."""
    shown = [installation.submit(source, tmp_path, *OPERATOR, "--wait") for source in (NOISE, STILL)]
    before = board(installation)
    assert rescore(installation, "--metric", "neurips-2023", "--re-run")["state"] == "ready"
    aside = next(one for one in shown if one["score"]["final_score"] != before[0][1])
    with installation.database.write() as session:
        lucky = select(Score).where(Score.evaluation_id == UUID(aside["evaluation_id"]))
        session.scalars(lucky.where(Score.metric == "neurips-2023")).one().final_score = 0.99
    moves = rescore(installation, "--publish")["moves"]
    assert [score for _, score in board(installation)] == [moves[0]["after"]["final_score"]] != [0.99]


_runs_of_cup = select(Evaluation.id).join(Phase).join(Competition).where(Competition.slug == "cup")
_of_cup = Score.evaluation_id.in_(_runs_of_cup)
_other = _of_cup & (Score.metric == "lethe-1")

"""Rows as worker and scorer would write them: submissions in every state, and a board with all that one can hold."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from math import exp, sin
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.core.models import (
    Copy,
    CopyKind,
    Evaluation,
    EventKind,
    FailureKind,
    LeaderboardEntry,
    MeasurementRow,
    Phase,
    Reference,
    Score,
    State,
    Submission,
    SubmissionKind,
    Team,
    TeamMember,
)
from services.core.models.stored import HistogramsForm
from services.core.queue.lifecycle import add_event, cancel, fail, lock_evaluation, move, queue_evaluation
from services.core.store.blobs import Blobs
from services.core.store.database import WriteSession, utc_now
from tests.api.scores import measure, moved, publish, score
from tests.web.losses import losses

__all__ = ["add_judging", "add_states", "add_submission", "fill_board", "fill_long_board"]

RETRAINING_S, CEILING = 3.1, 0.2
PROVENANCE = {"sandbox": "docker", "torch": "2.13.0", "python": "3.11", "independence": "enforced"}
SUITES: dict[str, dict[str, float | None]] = {
    "klom": {"forget_mean": 6.4, "forget_p95": 8.58, "retain_mean": 6.48, "test_mean": 6.42},
    "tug-of-war": {"tug_of_war": 0.81, "forget_difference": 0.13, "test_difference": 0.003},
    "u-lira": {"accuracy": 0.55, "auc": 0.54, "tpr_at_1_percent_fpr": 0.0},
}
TRACEBACK = """Run 3 of 64: ValueError at entry.py:41: loss.backward()

Traceback (most recent call last):
  File "entry.py", line 41, in unlearning
    loss.backward()
ValueError: optimizer got an empty parameter list"""

CODE = """import torch


def unlearning(net, retain_loader, forget_loader, val_loader):
    optimizer = torch.optim.SGD(net.parameters(), lr=3e-4)
    for inputs, labels in retain_loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()
    return net
"""
PRINTED = "".join(f"Epoch {epoch}: loss {2.3 * exp(-epoch / 4):.4f}\n" for epoch in range(1, 31))


def add_judging(session: WriteSession, phase: Phase, team: str) -> None:
    """List near-identical entries of two teams, by code and by weights."""
    own = select(Submission).join(Team).where(Submission.phase_id == phase.id, Team.name == team)
    later = session.scalars(own.where(Submission.name == "two-stage repair")).one()
    earlier = session.scalars(select(Submission).join(Team).where(Team.name == "north")).one()
    alike = ((CopyKind.CODE, False, 0.93), (CopyKind.CODE, True, 1.0), (CopyKind.WEIGHTS, False, 0.97))
    for kind, same, likeness in alike:
        found = {"competition_id": phase.competition_id, "submission_id": later.id, "other_id": earlier.id}
        session.add(Copy(**found, kind=kind, same_code=same, likeness=likeness))


def add_states(session: WriteSession, blobs: Blobs, phase: Phase, team: str) -> dict[str, str]:
    """Add submissions of a team, one in every state; return their ids."""

    def add(name: str, hours_ago: float, **changes: Any) -> tuple[Submission, Evaluation]:
        row = add_submission(session, phase, team, name, hours_ago=hours_ago, **changes)
        return row, lock_evaluation(session, row.evaluation_id)

    before, _ = _scored(session, phase, team, "noise, then repair", 0.031, hours_ago=30)
    scored, entry = _scored(session, phase, team, "two-stage repair", 0.042, hours_ago=20)
    session.add(entry)
    evaluation = lock_evaluation(session, scored.evaluation_id)
    evaluation.log_blob, evaluation.losses = blobs.put(PRINTED.encode()), losses(blobs)
    for row, code in ((before, CODE), (scored, CODE.replace("3e-4", "1e-3") + "\nROUNDS = 2\n")):
        row.blob = lock_evaluation(session, row.evaluation_id).code_sha256 = blobs.put(code.encode())
    failed, evaluation = add("masked reset", 9)
    fail(session, evaluation, FailureKind.EXCEPTION, TRACEBACK)
    timed_out, evaluation = add("slow second order", 8)
    fail(session, evaluation, FailureKind.TIMEOUT, f"Run 1 of {phase.seeds} did not finish within 60 s.")
    cancelled, evaluation = add("abandoned", 7)
    cancel(session, evaluation)
    running, evaluation = add("teacher and student", 0.1, filename="teacher.zip", kind=SubmissionKind.ARCHIVE)
    move(session, evaluation, State.RUNNING)
    evaluation.started_at = utc_now() - timedelta(minutes=3)
    evaluation.provenance = PROVENANCE
    evaluation.seeds_done = phase.seeds * 3 // 8
    add_event(session, evaluation, EventKind.PROGRESS, seeds_done=evaluation.seeds_done, seeds=phase.seeds)
    for models, value, margin in ((8, 0.019, 0.014), (16, 0.031, 0.011)):
        ends = {"ci_low": value - margin, "ci_high": value + margin}
        add_event(session, evaluation, EventKind.PROVISIONAL, models=models, final_score=value, **ends)
    queued, _ = add("sharpened noise", 0.05)
    found = {"scored before": before, "scored": scored, "failed": failed, "timed out": timed_out}
    found |= {"cancelled": cancelled, "running": running, "queued": queued}
    return {name: str(row.id) for name, row in found.items()}


def add_submission(
    session: WriteSession, phase: Phase, team: str, name: str, *, hours_ago: float = 0.0, **changes: Any
) -> Submission:
    """Add a submission, its evaluation queued, of a team and of whoever is in it."""
    of = session.scalars(select(Team).where(Team.name == team)).one()
    member = session.scalars(select(TeamMember.account_id).where(TeamMember.team_id == of.id)).first()
    blob = hashlib.sha256(f"{team}: {name}".encode()).hexdigest()
    values: dict[str, Any] = {"filename": "entry.py", "kind": SubmissionKind.MODULE, "size_bytes": 2311}
    row = Submission(
        phase_id=phase.id,
        team_id=of.id,
        account_id=member or phase.competition.owner_id,
        evaluation_id=queue_evaluation(session, phase, blob).id,
        name=name,
        blob=blob,
        created_at=utc_now() - timedelta(hours=hours_ago),
        **values | changes,
    )
    session.add(row)
    session.flush()
    return row


def fill_board(session: WriteSession, phase: Phase) -> None:
    """Put teams on the board: references, ties, an entry with alarms, and one that took too long."""
    alarm = {"kind": "above_ceiling", "message": "F is 0.0525, above what a second oracle reaches."}
    rows: tuple[tuple[str, str, float, float, float, dict[str, Any]], ...] = (
        ("organiser", "retrain", 0.195, 1.0, 1.0, {"reference": Reference.RETRAIN, "margin": 0.03}),
        ("keeper", "identity", 0.0001, 1.003, 0.02, {"reference": Reference.IDENTITY, "margin": 0.00004}),
        ("river-stones", "relabel", 0.0525, 0.991, 0.18, {"alarms": [alarm], "flags": ["independence_not_enforced"]}),
        ("slow-and-steady", "second order", 0.047, 1.001, 0.5, {}),
        ("north", "north", 0.038, 0.986, 0.05, {}),
        ("old-mill", "perturb, then repair", 0.0124, 1.003, 0.11, {"margin": 0.003}),
        ("a-team-whose-name-is-as-long-as-allowed", "dampening", 0.0048, 0.976, 0.14, {"margin": 0.002}),
        ("reed", "masked reset, third try", 0.0016, 0.969, 0.04, {"margin": 0.001}),
    )
    for name, entry, value, utility, time_ratio, numbers in rows:
        team = session.scalars(select(Team).where(Team.name == name)).one_or_none() or Team(name=name)
        session.add(team)
        session.flush()
        row = publish(session, phase, team, value, **{"margin": 0.007, "run_s": RETRAINING_S * time_ratio} | numbers)
        row.submission.name = entry
        _complete(session, row.score, utility)


def score_matrix(session: WriteSession, made: Mapping[str, Any]) -> None:
    """End the runs of a matrix: each is scored, but for the last, which fails."""
    cells = [UUID(cell["evaluation_id"]) for entry in made["items"] for cell in entry["cells"]]
    for place, evaluation_id in enumerate(cells[:-1]):
        measure(session, evaluation_id)
        score(session, evaluation_id, 0.2 * 0.8**place, margin=0.01, run_s=0.1 * RETRAINING_S)
    failed = lock_evaluation(session, cells[-1])
    fail(session, failed, FailureKind.EXCEPTION, "AttributeError: 'Linear' object has no attribute 'conv1'")


def fill_long_board(session: WriteSession, phase: Phase, last: str) -> None:
    """Put more teams on a board than one page of it holds; a team that is there already comes last."""
    for number in range(120):
        team = Team(name=f"team-{number:03}")
        session.add(team)
        session.flush()
        row = publish(session, phase, team, 0.2 * 0.96**number, margin=0.01 * 0.97**number)
        _set_utility(row.score, 0.97 + 0.03 * sin(number) ** 2)
    own = session.scalars(select(Team).where(Team.name == last)).one()
    publish(session, phase, own, 0.0002, margin=0.0001)


def _scored(
    session: WriteSession, phase: Phase, team: str, name: str, value: float, *, hours_ago: float
) -> tuple[Submission, LeaderboardEntry]:
    """Add a scored submission, and an entry for it that is not on the board yet."""
    row = add_submission(session, phase, team, name, hours_ago=hours_ago)
    evaluation = lock_evaluation(session, row.evaluation_id)
    move(session, evaluation, State.RUNNING)
    evaluation.started_at = row.created_at
    evaluation.seeds_done = phase.seeds
    evaluation.provenance = PROVENANCE
    move(session, evaluation, State.MEASURED, seeds=phase.seeds)
    evaluation.finished_at = row.created_at + timedelta(minutes=7)
    found = score(session, evaluation.id, value, margin=0.006, run_s=0.08 * RETRAINING_S)
    _complete(session, found, 0.995)
    found.histograms = HistogramsForm.model_validate(_histograms(phase.seeds))
    for seed in range(phase.seeds):
        run_s = found.run_s * (1 + 0.1 * sin(seed))
        session.add(
            MeasurementRow(
                evaluation_id=evaluation.id,
                seed=seed,
                blob=row.blob,
                checkpoint_sha256="",
                run_s=run_s,
                peak_memory_bytes=255 * 2**20,
            )
        )
    entry = LeaderboardEntry(
        phase_id=phase.id,
        team_id=row.team_id,
        submission_id=row.id,
        score_id=found.id,
        reference=Reference.NONE,
        final_score=value,
        submitted_at=row.created_at,
        published_at=moved(session, phase),
    )
    return row, entry


def _complete(session: WriteSession, found: Score, utility: float) -> None:
    """Give a score the numbers that not every score has, and a sister by another metric."""
    _set_utility(found, utility)
    found.suites = SUITES
    value = min(1.0, found.final_score / CEILING)
    other = score(session, found.evaluation_id, value, metric="lethe-1", margin=0.04, run_s=found.run_s)
    _set_utility(other, utility)


def _set_utility(of: Score, utility: float) -> None:
    of.utility, of.utility_low, of.utility_high = utility, utility - 0.006, utility + 0.006


def _histograms(models: int) -> dict[str, Any]:
    """Histograms of the forms that the scorer keeps: most epsilons small, confidences in bells."""
    places = ("best", "best", "median", "median", "worst", "worst")
    return {
        "bucket": 0.5,
        "epsilons": [7, 13, 17, 11, 6, 3, 2, 1, 0, 0, 0, 0],
        "confidences": _confidences(models * len(places), 0.2),
        "examples": [
            {
                "place": place,
                "example": 7 * number,
                "epsilon": 0.3 + number,
                "confidences": _confidences(models, number),
            }
            for number, place in enumerate(places)
        ],
    }


def _confidences(count: int, apart: float) -> dict[str, Any]:
    def bell(centre: float) -> list[int]:
        return [round(count / 8 * exp(-(((at - centre) / 3) ** 2) / 2)) for at in range(24)]

    return {"low": -6.0, "high": 6.0, "unlearned": bell(11.0), "oracle": bell(11.0 + apart)}

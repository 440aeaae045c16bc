"""Something to see on every page: rows written as worker and scorer would, behind an API that nothing else works for.

Without a worker what waits goes on waiting and what runs goes on running, so each page can be looked at in each state.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import exp, sin
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from services.api.accounts.service import begin_session, create_account
from services.cli.client import Client
from services.core import bundle_store
from services.core.blobs import Blobs
from services.core.database import Database, WriteSession, utc_now
from services.core.lifecycle import add_event, cancel, fail, lock_evaluation, move, queue_evaluation
from services.core.migrate import upgrade
from services.core.models import (
    Evaluation,
    FailureKind,
    LeaderboardEntry,
    MeasurementRow,
    Phase,
    Reference,
    Role,
    Score,
    State,
    Submission,
    SubmissionKind,
    Team,
    TeamMember,
)
from services.core.settings import SandboxKind, Settings
from tests.api.harness import serving
from tests.api.scores import publish, score
from tests.bundles import make_tiny_bundle
from tests.installation import phase_of
from tests.web.browsing import PASSWORD

__all__ = [
    "NEWCOMER",
    "OPERATOR",
    "ORGANISER",
    "PARTICIPANT",
    "PLACES",
    "Gallery",
    "Place",
    "add_states",
    "add_submission",
    "open_gallery",
]

SLUG = "digits"
PARTICIPANT, NEWCOMER, ORGANISER, OPERATOR = "ada", "newcomer", "organiser", "keeper"
ROLES = {
    PARTICIPANT: Role.PARTICIPANT,
    NEWCOMER: Role.PARTICIPANT,
    ORGANISER: Role.ORGANISER,
    OPERATOR: Role.OPERATOR,
}
RETRAINING_S, CEILING = 3.1, 0.2
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PROVENANCE = {"sandbox": "docker", "torch": "2.13.0", "python": "3.11", "independence": "enforced"}
SUITES: dict[str, dict[str, float | None]] = {
    "klom": {"forget_mean": 6.4, "forget_p95": 8.58, "retain_mean": 6.48, "test_mean": 6.42},
    "tug-of-war": {"tug_of_war": 0.81, "forget_difference": 0.13, "test_difference": 0.003},
    "u-lira": {"accuracy": 0.55, "auc": 0.54, "tpr_at_1_percent_fpr": 0.0},
}
DESCRIPTION = """Sixty of 1,437 handwritten digits are to be forgotten, as though the classifier had never seen them.

An entry is one function. Lethe calls it many times from the same trained network, and compares the models that come \
back with models that were retrained without those sixty. The closer the two distributions, the higher the score."""
TRACEBACK = """Run 3 of 64: ValueError at entry.py:41: loss.backward()

Traceback (most recent call last):
  File "entry.py", line 41, in unlearning
    loss.backward()
ValueError: optimizer got an empty parameter list"""


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its path, in which names in braces stand for submissions, and who looks at it."""

    name: str
    path: str
    who: str | None = None


def _of(part: str) -> str:
    return f"/competitions/{SLUG}{part}"


PLACES = (
    Place("competitions", "/"),
    Place("overview", _of("")),
    Place("rules", _of("/rules")),
    Place("starting-kit", _of("/kit")),
    Place("leaderboard", _of("/leaderboard?phase=feedback")),
    Place("leaderboard-of-own", _of("/leaderboard?phase=feedback"), PARTICIPANT),
    Place("leaderboard-empty", _of("/leaderboard?phase=final")),
    Place("submit", _of("/submit?phase=feedback"), PARTICIPANT),
    Place("submit-too-early", _of("/submit?phase=final"), PARTICIPANT),
    Place("submit-signed-out", _of("/submit?phase=feedback")),
    Place("submission-queued", "/submissions/{queued}", PARTICIPANT),
    Place("submission-running", "/submissions/{running}", PARTICIPANT),
    Place("submission-scored", "/submissions/{scored}", PARTICIPANT),
    Place("submission-failed", "/submissions/{failed}", PARTICIPANT),
    Place("submission-timed-out", "/submissions/{timed out}", PARTICIPANT),
    Place("submission-cancelled", "/submissions/{cancelled}", PARTICIPANT),
    Place("submissions", "/submissions", PARTICIPANT),
    Place("submissions-none", "/submissions", NEWCOMER),
    Place("comparison", "/submissions/compare?one={scored}&other={scored before}", PARTICIPANT),
    Place("comparison-of-nothing", "/submissions/compare", PARTICIPANT),
    Place("account", "/account", PARTICIPANT),
    Place("sign-in", "/sign-in"),
    Place("sign-up", "/sign-up"),
    Place("organise", _of("/organise?phase=feedback"), ORGANISER),
    Place("organise-no-phase", "/competitions/bare/organise", ORGANISER),
    Place("overview-no-phase", "/competitions/bare"),
    Place("operator", "/operator", OPERATOR),
    Place("not-allowed", "/operator", PARTICIPANT),
    Place("not-found", "/nowhere"),
    Place("no-such-competition", "/competitions/none"),
)


@dataclass
class Gallery:
    """The API, its database, everybody's tokens, and the submissions of `ada` by what became of them."""

    url: str
    settings: Settings
    database: Database
    tokens: dict[str, str]
    submissions: dict[str, str]

    def at(self, path: str) -> str:
        return self.url + path.format(**self.submissions)

    def add_participant(self) -> str:
        """Make an account that has done nothing yet; return its name."""
        name = f"p-{uuid4().hex[:8]}"
        with self.database.write() as session:
            self.tokens |= _add_accounts(session, self.settings, {name: Role.PARTICIPANT})
        return name


@contextmanager
def open_gallery(root: Path) -> Iterator[Gallery]:
    """Fill a database of its own and serve it."""
    settings = Settings(data_dir=root / "var", sandbox=SandboxKind.DOCKER)
    settings.data_dir.mkdir()
    database = Database(settings.resolved_database_url)
    upgrade(database)
    with database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(settings), make_tiny_bundle(root / "tiny"))
        tokens = _add_accounts(session, settings, ROLES)
    with serving(settings) as served, closing(Client(served.url, tokens[ORGANISER])) as organiser:
        _hold_competition(organiser)
        with database.write() as session:
            phase = session.scalars(select(Phase).where(Phase.slug == "feedback")).one()
            _fill_board(session, phase)
            submissions = add_states(session, phase)
        organiser.post(f"/api/competitions/{SLUG}/phases/feedback/campaigns", {"metric": "lethe-1"})
        yield Gallery(served.url, settings, database, tokens, submissions)
    database.dispose()


def add_states(session: WriteSession, phase: Phase) -> dict[str, str]:
    """Add submissions of `ada`, one in every state; return their ids."""

    def add(name: str, hours_ago: float, **changes: Any) -> tuple[Submission, Evaluation]:
        row = add_submission(session, phase, PARTICIPANT, name, hours_ago=hours_ago, **changes)
        return row, lock_evaluation(session, row.evaluation_id)

    before, _ = _scored(session, phase, PARTICIPANT, "noise, then repair", 0.031, hours_ago=30)
    scored, entry = _scored(session, phase, PARTICIPANT, "two-stage repair", 0.042, hours_ago=20)
    session.add(entry)
    failed, evaluation = add("masked reset", 9)
    fail(session, evaluation, FailureKind.EXCEPTION, TRACEBACK)
    timed_out, evaluation = add("slow second order", 8)
    fail(session, evaluation, FailureKind.TIMEOUT, f"Run 1 of {phase.seeds} did not end within 60 s.")
    cancelled, evaluation = add("abandoned", 7)
    cancel(session, evaluation)
    running, evaluation = add("teacher and student", 0.1, filename="teacher.zip", kind=SubmissionKind.ARCHIVE)
    move(session, evaluation, State.RUNNING)
    evaluation.started_at = utc_now() - timedelta(minutes=3)
    evaluation.provenance = PROVENANCE
    evaluation.seeds_done = phase.seeds * 3 // 8
    add_event(session, evaluation, "progress", seeds_done=evaluation.seeds_done, seeds=phase.seeds)
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
        account_id=member or phase.competition.organiser_id,
        evaluation_id=queue_evaluation(session, phase, blob).id,
        name=name,
        blob=blob,
        created_at=utc_now() - timedelta(hours=hours_ago),
        **values | changes,
    )
    session.add(row)
    session.flush()
    return row


def _add_accounts(session: WriteSession, settings: Settings, roles: Mapping[str, Role]) -> dict[str, str]:
    """Make accounts, and teams of the same names; return the tokens of their sessions."""
    accounts = {name: create_account(session, name, PASSWORD, role) for name, role in roles.items()}
    return {name: begin_session(session, account, settings.key(), FIREFOX)[1] for name, account in accounts.items()}


def _hold_competition(organiser: Client) -> None:
    words = {"title": "Forgetting handwritten digits", "description": DESCRIPTION}
    organiser.post("/api/competitions", {"slug": SLUG, **words})
    organiser.post("/api/competitions", {"slug": "bare", "title": "Ages and faces"})
    for slug, kind, opens_in_days in (("check", "check", -9), ("feedback", "feedback", -4), ("final", "final", 5)):
        opens_at = utc_now() + timedelta(days=opens_in_days)
        window = {"opens_at": opens_at.isoformat(), "closes_at": (opens_at + timedelta(days=7)).isoformat()}
        phase = phase_of("tiny", slug=slug, kind=kind, quota_per_day=9, **window)
        organiser.post(f"/api/competitions/{SLUG}/phases", phase)


def _fill_board(session: WriteSession, phase: Phase) -> None:
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
        _complete(session, row.score, utility, time_ratio)


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
    _complete(session, found, 0.995, 0.08)
    found.histograms = _histograms(phase.seeds)
    for seed in range(phase.seeds):
        run_s = found.run_s * (1 + 0.1 * sin(seed))
        session.add(
            MeasurementRow(evaluation_id=evaluation.id, seed=seed, blob=row.blob, checkpoint_sha256="", run_s=run_s)
        )
    entry = LeaderboardEntry(
        phase_id=phase.id,
        team_id=row.team_id,
        submission_id=row.id,
        score_id=found.id,
        reference=Reference.NONE,
        final_score=value,
        submitted_at=row.created_at,
    )
    return row, entry


def _complete(session: WriteSession, found: Score, utility: float, time_ratio: float) -> None:
    """Give a score the numbers that not every score has, and a sister by another metric."""
    found.utility, found.utility_low, found.utility_high = utility, utility - 0.006, utility + 0.006
    found.time_ratio = time_ratio
    found.suites = SUITES
    value = min(1.0, found.final_score / CEILING)
    other = score(session, found.evaluation_id, value, metric="lethe-1", margin=0.04, run_s=found.run_s)
    other.utility, other.utility_low, other.utility_high = utility, utility - 0.006, utility + 0.006
    other.time_ratio = time_ratio


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

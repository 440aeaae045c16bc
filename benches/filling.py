"""Installations filled with a contest of any size, for measurements: teams, each with one scored entry on a board.

Teams have scores and errors of the size that entries on the digits benchmark have.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import insert, update

from benches.contest import add_phase, stand_in_benchmark
from services.core.models import (
    Evaluation,
    LeaderboardEntry,
    Phase,
    Reference,
    Score,
    State,
    Submission,
    SubmissionKind,
    Team,
)
from services.core.settings import SandboxKind, Settings
from services.core.store.database import Database
from services.core.store.migrate import upgrade

KEY = "key of a measurement"
SPLITS = 16
PORTION = 5_000  # teams that are written in one transaction
START = datetime(2026, 1, 1, tzinfo=UTC)
SUITES = {"u_lira": {"auc": 0.53, "tpr_at_1_fpr": 0.02}, "tug_of_war": {"tow": 0.91}}


def settings_in(directory: Path, url: str) -> Settings:
    """Return the settings of an installation in a directory."""
    return Settings(
        data_dir=directory / "data", database_url=url, sandbox=SandboxKind.DOCKER, secret_key=KEY, allowed_hosts="*"
    )


@contextmanager
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server; yield the address of an empty database."""
    from tests.real_services import postgres_server

    with postgres_server() as url:
        yield url


class Disposing:
    """A database that `contextlib.closing` disposes of."""

    def __init__(self, database: Database) -> None:
        self.close = database.dispose


def fill(settings: Settings, teams: int) -> None:
    """Give every team one scored submission on one leaderboard."""
    database = Database(settings.resolved_database_url)
    upgrade(database)
    with closing(Disposing(database)):
        with database.write() as session:
            phase = add_phase(session, stand_in_benchmark(), seeds=512, opens_at=START)
            owner_id = phase.competition.owner_id
        add_entries(database, phase, owner_id, teams)


def add_entries(database: Database, phase: Phase, account_id: UUID, teams: int) -> None:
    """Put so many new teams on the board of a phase, each with one scored submission."""
    random = np.random.default_rng(7)
    scores = random.beta(2, 5, teams) * 0.3
    gaps = random.normal(size=(teams, SPLITS)) * (0.024 * scores[:, None] + 2e-4)
    of = phase.benchmark_id, account_id
    for first in range(0, teams, PORTION):
        numbers = range(first, min(teams, first + PORTION))
        rows = [_rows(number, phase, of, scores[number], gaps[number]) for number in numbers]
        with database.write() as session:
            for table in (Team, Evaluation, Submission, Score, LeaderboardEntry):
                session.execute(insert(table), [row[table] for row in rows])
    with database.write() as session:
        session.execute(update(Phase).where(Phase.id == phase.id).values(board_moved_at=START + timedelta(days=1)))
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def _rows(
    number: int, phase: Phase, of: tuple[UUID, UUID], score: float, gaps: np.ndarray[Any, Any]
) -> dict[type, dict[str, Any]]:
    benchmark_id, account_id = of
    team, evaluation, submission, scored = (uuid4() for _ in range(4))
    moment = START + timedelta(seconds=number / 50)
    bounds = {
        f"{part}{end}": value
        for part, value in (("forgetting_quality", score), ("utility", 0.98))
        for end in ("", "_low", "_high")
    }
    return {
        Team: {"id": team, "name": f"team {number}"},
        Evaluation: {
            "id": evaluation,
            "phase_id": phase.id,
            "benchmark_id": benchmark_id,
            "code_sha256": f"{number:064x}",
            "seeds": 512,
            "seed_key": bytes(32),
            "state": State.MEASURED,
            "may_lack_score": False,
            "seeds_done": 512,
            "started_at": moment,
            "finished_at": moment + timedelta(seconds=90),
        },
        Submission: {
            "id": submission,
            "phase_id": phase.id,
            "team_id": team,
            "account_id": account_id,
            "evaluation_id": evaluation,
            "name": "entry",
            "filename": "entry.py",
            "kind": SubmissionKind.MODULE,
            "reference": Reference.NONE,
            "blob": f"{number:064x}",
            "size_bytes": 1000,
            "created_at": moment,
        },
        Score: {
            "id": scored,
            "evaluation_id": evaluation,
            "metric": phase.metric,
            **bounds,
            "final_score": float(score),
            "ci_low": float(score * 0.98),
            "ci_high": float(score * 1.02),
            "seeds": 512,
            "distinct_models": 512,
            "effective_models": 512,
            "run_s": 1.0,
            "suites": SUITES,
            "halves": [[float(score + gap / 2), float(score - gap / 2)] for gap in gaps],
            "gaps": gaps.tobytes(),
        },
        LeaderboardEntry: {
            "id": uuid4(),
            "phase_id": phase.id,
            "team_id": team,
            "submission_id": submission,
            "score_id": scored,
            "reference": Reference.NONE,
            "final_score": float(score),
            "submitted_at": moment,
            "published_at": moment,
        },
    }

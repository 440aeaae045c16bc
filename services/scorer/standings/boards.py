"""Keeping leaderboards: computing the standings of every phase whose pointers moved, and discarding old ones.

Rows are written in portions, each in a transaction of its own, so that nobody waits for a big board; readers see a
board once all of it is there. A scorer that ends in between leaves an unfinished one, which the next one discards.
"""

import time
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import SQLColumnExpression, and_, delete, exists, func, insert, select

from services.core.board.order import IN_ORDER, Submitted, TimedRun, fastest
from services.core.board.standings import stands_at
from services.core.models import (
    AskedBoard,
    Evaluation,
    LeaderboardEntry,
    Phase,
    Reference,
    Score,
    StandingRow,
    Standings,
    State,
    Submission,
    Transfer,
)
from services.core.store.database import ReadSession, clock
from services.scorer.standings.luck import best_of, error_of
from services.scorer.standings.ranking import BoardLine, Standing, standings
from services.scorer.stores import Stores

__all__ = ["BoardRead", "Boards"]

log = structlog.get_logger()

PORTION = 20_000  # rows that are written in one transaction
FETCHED = 2_000  # rows that are read at once
EVERY_S = 1.0  # at least, between two computations of one board
PAUSES = 3  # times as long as a board took, before one of an earlier moment is computed
ONCE = (1, 0.0)  # the draws of a team with one entry: luck gives it nothing
KEPT = timedelta(hours=1)  # for readers who are paging through a board that has changed since
KEPT_ROWS = 500_000  # of such boards of one phase; beyond that the oldest go first


@dataclass(slots=True)
class Boards:
    """The leaderboards of all phases."""

    stores: Stores
    _again_at: dict[UUID, float] = field(default_factory=dict)  # by phase, by the monotonic clock
    _earlier_at: float = 0.0

    def keep(self) -> int:
        """Compute every leaderboard that is due; return how many. One that fails is tried again after a while."""
        moved = self._moved()
        for phase_id, moment in moved:
            took_s = self._try(phase_id, moment)
            self._again_at[phase_id] = time.monotonic() + max(EVERY_S, took_s)
        asked = self._asked()
        for phase_id, moment in asked:
            took_s = self._try(phase_id, moment)
            self._earlier_at = time.monotonic() + PAUSES * took_s
            self._answered(phase_id, moment)
        return len(moved) + len(asked)

    def _moved(self) -> list[tuple[UUID, datetime]]:
        """Find the phases whose pointers moved since their newest standings, each with the moment of the last move."""
        done = exists().where(
            and_(
                Standings.phase_id == Phase.id, Standings.moment == Phase.board_moved_at, Standings.done_at.is_not(None)
            )
        )
        with self.stores.database.read() as session:
            moved = select(Phase.id, Phase.board_moved_at).where(Phase.board_moved_at.is_not(None), ~done)
            found = [(phase_id, moment) for phase_id, moment in session.execute(moved) if moment is not None]
        now = time.monotonic()
        return [(phase_id, moment) for phase_id, moment in found if self._again_at.get(phase_id, 0.0) <= now]

    def _asked(self) -> list[tuple[UUID, datetime]]:
        """Find the earlier board that was asked for first, unless one was computed a moment ago."""
        if time.monotonic() < self._earlier_at:
            return []
        first = select(AskedBoard.phase_id, AskedBoard.moment).order_by(AskedBoard.asked_at).limit(1)
        with self.stores.database.read() as session:
            return [(phase_id, moment) for phase_id, moment in session.execute(first)]

    def _answered(self, phase_id: UUID, moment: datetime) -> None:
        """Nobody waits for a board any more, also if it failed: it must not keep others waiting."""
        asked = and_(AskedBoard.phase_id == phase_id, AskedBoard.moment == moment)
        with self.stores.database.write() as session:
            session.execute(delete(AskedBoard).where(asked))

    def _try(self, phase_id: UUID, moment: datetime) -> float:
        """Compute a board; return how long that took, in seconds."""
        began = time.monotonic()
        try:
            total = self._compute(phase_id, moment)
            self._discard(phase_id)
        except Exception:
            log.exception("standings_failed", phase=str(phase_id), remedy="they are computed again")
            return time.monotonic() - began + 15.0
        took_s = time.monotonic() - began
        log.info("standings", phase=str(phase_id), entries=total, took_s=round(took_s, 3))
        return took_s

    def _compute(self, phase_id: UUID, moment: datetime) -> int:
        database = self.stores.database
        with database.read() as session:
            phase = session.get_one(Phase, phase_id)
            board = BoardRead(session, phase, moment)
            ranked = standings(board.lines(), phase.max_time_ratio)
            draws = board.draws
        with database.write() as session:
            row = Standings(phase_id=phase_id, moment=moment, metric=board.metric or phase.metric)
            row.begun_at, retraining = clock(session), fastest(board.references)
            row.retraining_s, row.retraining_cost = retraining
            session.add(row)
        for portion in _portions(_rows(row.id, board.entry_ids, ranked, draws)):
            with database.write() as session:
                session.connection().execute(insert(StandingRow), portion)
        with database.write() as session:
            done = session.get_one(Standings, row.id)
            done.total, done.done_at = len(ranked), clock(session)
        return len(ranked)

    def _discard(self, phase_id: UUID) -> None:
        """Discard boards that nobody is likely to read: any of them can be computed again."""
        database = self.stores.database
        with database.read() as session:
            found = session.scalars(
                select(Standings)
                .where(Standings.phase_id == phase_id)
                .order_by(Standings.moment.desc(), Standings.id.desc())
            ).all()
            since = clock(session) - KEPT
        rows, gone = 0, []
        newest = next((one for one in found if one.done_at is not None), None)
        for one in sorted(found, key=lambda one: one.done_at or one.begun_at, reverse=True):
            rows += one.total
            if one is not newest and (one.begun_at < since or (one.done_at is not None and rows > KEPT_ROWS)):
                gone.append(one.id)
        for standings_id in gone:
            self._remove(standings_id)

    def _remove(self, standings_id: int) -> None:
        database = self.stores.database
        of = StandingRow.standings_id == standings_id
        with database.write() as session:  # readers see it no more
            session.get_one(Standings, standings_id).done_at = None
            last = session.scalar(select(func.max(StandingRow.position)).where(of)) or 0
        for start in range(0, last, PORTION):
            with database.write() as session:
                session.execute(delete(StandingRow).where(of, StandingRow.position <= start + PORTION))
        with database.write() as session:
            session.execute(delete(Standings).where(Standings.id == standings_id))


@dataclass(slots=True)
class BoardRead:
    """A board as of a moment, read in order. Its lines can be read once; they leave ids and the times of references."""

    session: ReadSession
    phase: Phase
    moment: datetime
    entry_ids: list[UUID] = field(default_factory=list)
    team_ids: list[UUID] = field(default_factory=list)
    references: list[TimedRun] = field(default_factory=list)
    draws: list[tuple[int, float]] = field(default_factory=list)  # of its team: how many, and what luck gave the best
    metric: str | None = None

    def lines(self) -> Iterator[BoardLine]:
        entry = LeaderboardEntry
        statement = (
            select(entry.id, entry.submission_id, entry.reference, entry.final_score, entry.submitted_at, entry.team_id)
            .add_columns(Score.gaps, Score.run_s, Score.cost, Score.flags, Score.metric)
            .join(Score, entry.score_id == Score.id)
            .where(entry.phase_id == self.phase.id, stands_at(self.moment))
            .order_by(*IN_ORDER)
        )
        counts = self._entries_of_teams()
        for row in self.session.execute(statement.execution_options(yield_per=FETCHED)):
            self.entry_ids.append(row.id)
            self.team_ids.append(row.team_id)
            count = counts.get(row.team_id, 1)
            self.draws.append((count, best_of(count) * error_of(row.gaps)) if count > 1 else ONCE)
            self.metric = row.metric
            if row.reference is not Reference.NONE:
                self.references.append(TimedRun(row.reference, row.run_s, row.cost))
            yield BoardLine(
                reference=row.reference,
                final_score=row.final_score,
                gaps=array("d", row.gaps),
                run_s=row.run_s,
                submitted=Submitted(row.submitted_at, row.submission_id),
                flags=row.flags,
                cost=row.cost,
            )

    def _entries_of_teams(self) -> dict[UUID, int]:
        """Count how many entries each team had scored by then."""
        team = self._team_then()
        statement = (
            select(team, func.count(Submission.evaluation_id.distinct()))
            .join(Evaluation, Evaluation.id == Submission.evaluation_id)
            .where(Submission.phase_id == self.phase.id, Submission.reference == Reference.NONE)
            .where(Evaluation.state == State.MEASURED)
            .where(Evaluation.finished_at <= self.moment)
            .group_by(team)
        )
        return {row[0]: int(row[1]) for row in self.session.execute(statement)}

    def _team_then(self) -> SQLColumnExpression[UUID]:
        """Select the team for which a submission counted at the moment: another one, if its team has merged since."""
        later = select(Transfer).join(Submission, Submission.id == Transfer.submission_id)
        later = later.where(Submission.phase_id == self.phase.id, Transfer.at > self.moment).limit(1)
        if self.session.scalars(later).first() is None:
            return Submission.team_id
        first = select(Transfer.from_id).where(Transfer.submission_id == Submission.id, Transfer.at > self.moment)
        return func.coalesce(
            first.order_by(Transfer.at).limit(1).correlate(Submission).scalar_subquery(), Submission.team_id
        )


def _rows(
    standings_id: int, entry_ids: Iterable[UUID], ranked: Iterable[Standing], draws: Iterable[tuple[int, float]]
) -> Iterator[dict[str, Any]]:
    places = zip(entry_ids, ranked, draws, strict=True)
    for position, (entry_id, one, (count, luck)) in enumerate(places, start=1):
        yield {
            "standings_id": standings_id,
            "position": position,
            "entry_id": entry_id,
            "rank": one.rank,
            "unranked": one.unranked,
            "rank_best": one.rank_interval and one.rank_interval.best,
            "rank_worst": one.rank_interval and one.rank_interval.worst,
            "tie_group": one.tie_group,
            "time_ratio": one.time_ratio.value,
            "ratio_low": one.time_ratio.low,
            "ratio_high": one.time_ratio.high,
            "draws": count,
            "luck": luck,
        }


def _portions(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while portion := list(islice(rows, PORTION)):
        yield portion

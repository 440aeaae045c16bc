"""The scorer's task: computing how far a phase's numbers can be trusted, a step at a time, while nothing else waits."""

from collections.abc import Generator
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import select

from services.core.board.standings import newest
from services.core.bundle.directory import Bundle
from services.core.bundle.store import materialise
from services.core.models import (
    Evaluation,
    LeaderboardEntry,
    Phase,
    ReliabilityForm,
    ReliabilityRow,
    Score,
    StandingRow,
)
from services.core.models.stored import SuiteValues
from services.core.store.database import clock
from services.scorer.judging import load_evidence
from services.scorer.reliability.card import card_steps, metric_card
from services.scorer.reliability.stability import Entry, stability, stability_steps
from services.scorer.scoring import gather
from services.scorer.stores import Stores

__all__ = ["Reliability"]

log = structlog.get_logger()

MOST_ENTRIES = 30  # of a leaderboard: the best
ORDER_DRAWS = 10  # of runs, for each size
CARD_DRAWS = 40
CARD_MODELS = 128
NOTED_EVERY = 20  # steps
FAILED = "Something went wrong. The server's log says what; an organiser can ask again."

Work = Generator[None, None, ReliabilityForm]


@dataclass(slots=True)
class Reliability:
    """The phases of which it was asked. What is computed is in memory: a scorer that ends leaves it to the next."""

    stores: Stores
    _asked: UUID | None = None
    _work: Work | None = None
    _done: int = field(default=0)

    def due(self) -> bool:
        """Whether a phase waits for its numbers."""
        return self._work is not None or self._next() is not None

    def step(self) -> bool:
        """Go on by one step; return whether there was one."""
        if self._work is None and not self._begin():
            return False
        assert self._work is not None
        try:
            next(self._work)
        except StopIteration as ended:
            self._end(form=ended.value, problem=None)
        except Exception:  # its words go to the log alone, because everybody may read what is kept
            log.exception("reliability_failed", phase=str(self._asked))
            self._end(form=None, problem=FAILED)
        else:
            self._done += 1
            if self._done % NOTED_EVERY == 0:
                self._note()
        return True

    def _next(self) -> UUID | None:
        row = ReliabilityRow
        waiting = select(row.phase_id).where(row.waits)
        with self.stores.database.read() as session:
            return session.scalar(waiting.order_by(row.asked_at).limit(1))

    def _begin(self) -> bool:
        self._asked, self._done = self._next(), 0
        if self._asked is None:
            return False
        self._work = self._compute(self._asked)
        return True

    def _compute(self, phase_id: UUID) -> Work:
        bundle, entries, metric = self._read(phase_id)
        models = min((entry.models for entry in entries), default=0)
        draws = stability_steps(len(entries), models, ORDER_DRAWS)
        self._announce(draws + card_steps(CARD_DRAWS))
        orders = yield from stability([entry.entry for entry in entries], models=models, draws=ORDER_DRAWS)
        card = yield from metric_card(gather(bundle.oracle(), bundle), models=CARD_MODELS, draws=CARD_DRAWS)
        return ReliabilityForm(
            metric=metric,
            entries=len(entries),
            models=models,
            draws=ORDER_DRAWS,
            orders=orders.orders,
            pairs=orders.pairs,
            card=card,
        )

    def _read(self, phase_id: UUID) -> tuple[Bundle, "list[_Found]", str]:
        """Find the benchmark, the best entries of the newest leaderboard, and the metric that it ranks by."""
        stores = self.stores
        with stores.database.read() as session:
            phase = session.get_one(Phase, phase_id)
            board = newest(session, phase)
            bundle = materialise(session, stores.blobs, phase.benchmark.digest, stores.settings.bundle_cache)
            if board is None:
                return bundle, [], phase.metric
            best = (
                select(Score.evaluation_id, Score.suites, Evaluation.seeds)
                .join(LeaderboardEntry, LeaderboardEntry.score_id == Score.id)
                .join(StandingRow, StandingRow.entry_id == LeaderboardEntry.id)
                .join(Evaluation, Evaluation.id == Score.evaluation_id)
                .where(StandingRow.standings_id == board.id, StandingRow.position <= MOST_ENTRIES)
                .where(Evaluation.benchmark_id == phase.benchmark_id)
                .order_by(StandingRow.position)
            )
            found = [_Found(self._entry(row[0], row[1]), row[2]) for row in session.execute(best)]
            return bundle, found, board.metric

    def _entry(self, evaluation_id: UUID, suites: SuiteValues) -> Entry:
        stores = self.stores
        return Entry(lambda: load_evidence(stores.database, stores.blobs, stores.settings, evaluation_id), suites)

    def _announce(self, total: int) -> None:
        assert self._asked is not None
        with self.stores.database.write() as session:
            row = session.get_one(ReliabilityRow, self._asked)
            row.done, row.total = 0, total

    def _note(self) -> None:
        assert self._asked is not None
        with self.stores.database.write() as session:
            session.get_one(ReliabilityRow, self._asked).done = self._done

    def _end(self, *, form: ReliabilityForm | None, problem: str | None) -> None:
        """Keep what was found. What was found earlier stays if this time nothing was."""
        assert self._asked is not None
        phase_id = self._asked
        with self.stores.database.write() as session:
            row = session.get_one(ReliabilityRow, phase_id)
            row.done, row.problem = row.total, problem
            row.made_at = clock(session)
            if form is not None:
                row.form = form
        self._work = self._asked = None
        log.info("reliability", phase=str(phase_id), steps=self._done, problem=problem)


@dataclass(frozen=True, slots=True)
class _Found:
    entry: Entry
    models: int

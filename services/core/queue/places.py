"""How many shards run before an entry's, and when it is likely to start and to end.

Only what the same workers can serve counts: a worker that lacks an environment does not serve those who wait for it.

Nothing here grows with the queue: lines carry counts, and no more than `MOST` lines or shards are read. Times follow
from the run times of the newest evaluations of the phases that wait, and from the slots of the workers that are alive.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, variance
from uuid import UUID

from sqlalchemy import Row, Select, func, literal_column, select

from services.core.models import Competition, Device, Evaluation, Line, MeasurementRow, Phase, PhaseKind, Shard, State
from services.core.queue.lines import BEHIND_ALL, sharing_turns
from services.core.queue.workers import all_workers, is_gone, serves
from services.core.store.database import ReadSession, utc_now

__all__ = ["MOST", "QueuePlace", "Span", "place_of", "place_of_next"]

MOST = 1000
RECENT = 20  # evaluations of a phase whose run times are taken
FEWEST = 3  # without as many, no time is told
MEASURED_SEEDS = 8  # runs of an evaluation that stand for all
WIDTH = 1.645  # standard deviations on either side that hold 90% of a normal distribution


@dataclass(frozen=True, slots=True)
class Span:
    """An expected moment, and the 90% interval around it."""

    expected: datetime
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A place in the queue."""

    ahead: int  # shards that run before the first of its own, if nobody submits more
    more: bool  # whether there are more than could be counted
    starts: Span | None  # None if it has started, or nothing is known
    ends: Span | None


@dataclass(frozen=True, slots=True)
class _Work:
    """Some shards of one phase."""

    phase_id: UUID
    shards: float


@dataclass(frozen=True, slots=True)
class _Others:
    """What one other team has queued in a competition."""

    first: bool  # whether its turn comes before ours
    check: bool
    weight: int
    queued: dict[UUID, int]  # in each phase

    def before(self, turns: int, *, ours_is_check: bool) -> list[_Work]:
        """List its shards that run before our turn of that number has ended."""
        total = sum(self.queued.values())
        if self.check != ours_is_check:
            share = 1.0 if self.check else 0.0
        else:
            share = min(1.0, self.weight * (turns if self.first else turns - 1) / total)
        return [_Work(phase_id, share * queued) for phase_id, queued in self.queued.items()]


def place_of(session: ReadSession, evaluation: Evaluation) -> QueuePlace | None:
    """Find the place of an evaluation; None if no shard of it waits."""
    own = select(Shard).where(Shard.evaluation_id == evaluation.id, Shard.state == State.QUEUED)
    shards = session.scalars(own).all()
    if not shards:
        return None
    line = session.get_one(Line, shards[0].line_id)
    sharing = session.scalars(sharing_turns(line.phase, line.team_id)).all()
    older = (
        select(Shard.id)
        .where(
            Shard.line_id.in_([one.id for one in sharing]),
            Shard.state == State.QUEUED,
            Shard.queued_at < shards[0].queued_at,
        )
        .limit(MOST + 1)
    )
    before = session.scalars(select(func.count()).select_from(older.subquery())).one()
    has_started = evaluation.state is State.RUNNING
    own_turn = _Turn(line.phase, line.team_id, next(iter(sharing), None))
    return _place(session, own_turn, before, len(shards), has_started=has_started)


def place_of_next(
    session: ReadSession, phase: Phase, team_id: UUID, *, run_s: Sequence[float] | None = None
) -> QueuePlace:
    """Find the place that a team's next entry in a phase would have.

    If it is known how long runs of its code take, in seconds, its own shards take that; otherwise as long as others'.
    """
    sharing = session.scalars(sharing_turns(phase, team_id)).all()
    shards = math.ceil(phase.seeds / phase.shard_seeds)
    older = sum(one.queued for one in sharing)
    own_turn = _Turn(phase, team_id, next(iter(sharing), None))
    return _place(session, own_turn, older, shards, has_started=False, run_s=run_s)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whose turn in the queue is asked for."""

    phase: Phase
    team_id: UUID | None
    line: Line | None  # one of those that share the turn; None if there is none yet


def _place(
    session: ReadSession,
    own: _Turn,
    older: int,
    shards: int,
    *,
    has_started: bool,
    run_s: Sequence[float] | None = None,
) -> QueuePlace:
    phase = own.phase
    crew = _Crew.of(session, phase)
    rows = session.execute(_waiting(phase.device, crew.environments)).all()
    weight = phase.competition.weight
    turn = (own.line.turn, own.line.created_at) if own.line else (0, utc_now())
    is_check = phase.kind is PhaseKind.CHECK
    others = _others(rows, turn, mine=(own.team_id, phase.competition_id, is_check))

    def before(wanted: int) -> list[_Work]:
        turns = math.ceil((older + wanted) / weight)
        return [work for one in others for work in one.before(turns, ours_is_check=is_check)]

    ahead = older + round(sum(work.shards for work in before(1)))
    starts = ends = None
    if (clock := _Clock.read(session, phase, crew)) is not None:
        own_work = _Work(phase.id, older)
        starts = clock.span([*before(1), own_work])
        ends = clock.end([*before(shards), own_work], shards, run_s)
    more = ahead > MOST or len(rows) > MOST
    return QueuePlace(min(ahead, MOST), more, None if has_started else starts, ends)


@dataclass(frozen=True, slots=True)
class _Crew:
    """The workers that serve a phase, and what else they serve."""

    slots: int
    busy: int
    shares: dict[str, float]  # by environment that somebody waits for: the part of the slots serving it that is theirs

    @classmethod
    def of(cls, session: ReadSession, phase: Phase) -> "_Crew":
        """Read which workers serve a phase."""
        alive = [worker for worker in all_workers(session) if not is_gone(worker)]
        crew = [one for one in alive if serves(one, phase.device, phase.environment)]
        waited_for = select(Phase.environment).join(Line, Line.phase_id == Phase.id)
        names = session.scalars(
            waited_for.where(Phase.device == phase.device, Line.queued > literal_column("0")).distinct()
        )
        shares = {phase.environment: 1.0}
        for name in names:
            theirs, all_slots = (
                sum(one.slots for one in some if serves(one, phase.device, name)) for some in (crew, alive)
            )
            if theirs:
                shares[name] = theirs / all_slots
        return cls(sum(one.slots for one in crew), sum(one.slots_busy for one in crew), shares)

    @property
    def environments(self) -> Collection[str]:
        """The environments that compete for these workers."""
        return self.shares.keys()


def _waiting(
    device: Device, environments: Collection[str]
) -> Select[UUID, UUID | None, UUID, int, int, datetime, int, PhaseKind]:
    return (
        select(
            Line.phase_id,
            Line.team_id,
            Phase.competition_id,
            Line.queued,
            Line.turn,
            Line.created_at,
            Competition.weight,
            Phase.kind,
        )
        .join(Phase, Line.phase_id == Phase.id)
        .join(Competition, Phase.competition_id == Competition.id)
        .where(Phase.device == device, Phase.environment.in_(environments), Line.queued > literal_column("0"))
        .limit(MOST + 1)
    )


def _others(
    rows: Iterable[Row[UUID, UUID | None, UUID, int, int, datetime, int, PhaseKind]],
    turn: tuple[int, datetime],
    mine: tuple[UUID | None, UUID, bool],
) -> list[_Others]:
    found: dict[tuple[UUID | None, UUID, bool], _Others] = {}
    for phase_id, team_id, competition_id, queued, its_turn, since, weight, kind in rows:
        check = kind is PhaseKind.CHECK
        whose = team_id, competition_id, check
        waits_for_us = its_turn == BEHIND_ALL > turn[0]
        if whose != mine and not waits_for_us:
            one = found.setdefault(whose, _Others((its_turn, since) < turn, check, weight, defaultdict(int)))
            one.queued[phase_id] += queued
    return list(found.values())


def _spread(count: float, known: Sequence[float]) -> float:
    """Return the variance of the sum of so many draws: of the draws, and of their mean, which `known` estimates."""
    return (count + count**2 / len(known)) * variance(known)


class _Clock:
    """Turns shards into time: the slots that serve a phase, and how long a shard of each phase takes them."""

    def __init__(self, session: ReadSession, phase: Phase, crew: _Crew) -> None:
        self._session, self._slots, self._busy, self._shares = session, crew.slots, crew.busy, crew.shares
        self._own = phase.id
        self._known: dict[UUID, list[float]] = {}

    @classmethod
    def read(cls, session: ReadSession, phase: Phase, crew: _Crew) -> "_Clock | None":
        """Make the clock of a phase; None if no worker serves it, or nothing ran in it yet."""
        clock = cls(session, phase, crew)
        return clock if crew.slots and len(clock._sample(phase.id)) >= FEWEST else None

    def end(self, work: Iterable[_Work], shards: int, run_s: Sequence[float] | None) -> Span:
        """Tell when an entry's own shards will be done after some work.

        They take as long as its code is known to run, otherwise as long as the phase's newest.
        """
        if run_s is None:
            at_least_s = fmean(self._sample(self._own))
            return self.span([*work, _Work(self._own, shards)], at_least_s=at_least_s)
        seeds = self._session.get_one(Phase, self._own).shard_seeds
        runs, each = shards * seeds, fmean(run_s)
        spread = _spread(runs, run_s) if len(run_s) > 1 else 0.0
        return self.span(work, own_s=runs * each, own_spread=spread, at_least_s=seeds * each)

    def span(
        self, work: Iterable[_Work], *, own_s: float = 0.0, own_spread: float = 0.0, at_least_s: float = 0.0
    ) -> Span:
        """Tell when some work will be done, and that of an entry itself, if all slots share it."""
        usual = self._sample(self._own)
        total = self._busy * fmean(usual) / 2 if self._busy >= self._slots else 0.0
        total, spread = total + own_s, own_spread
        for phase_id, shards in self._gathered(work).items():
            known = self._sample(phase_id)
            known = known if len(known) >= FEWEST else usual
            total += shards * fmean(known)
            spread += _spread(shards, known)
        expected = max(total / self._slots, at_least_s)
        width = WIDTH * math.sqrt(spread) / self._slots
        now = utc_now()
        low, high = max(0.0, expected - width), expected + width
        return Span(*(now + timedelta(seconds=seconds) for seconds in (expected, low, high)))

    def _gathered(self, work: Iterable[_Work]) -> dict[UUID, float]:
        """Add up the shards of each phase that these workers will take, if all who serve it take as many for a slot."""
        shards: dict[UUID, float] = defaultdict(float)
        for one in work:
            environment = self._session.get_one(Phase, one.phase_id).environment
            shards[one.phase_id] += one.shards * self._shares.get(environment, 1.0)
        return shards

    def _sample(self, phase_id: UUID) -> list[float]:
        """List the seconds that a shard took in the newest evaluations of a phase."""
        if phase_id not in self._known:
            phase = self._session.get_one(Phase, phase_id)
            newest = (
                select(Evaluation.id)
                .where(Evaluation.phase_id == phase_id, Evaluation.state == State.MEASURED)
                .where(Evaluation.benchmark_id == phase.benchmark_id)
                .order_by(Evaluation.finished_at.desc())
                .limit(RECENT)
            )
            means = (
                select(func.avg(MeasurementRow.run_s))
                .where(MeasurementRow.evaluation_id.in_(newest), MeasurementRow.seed < MEASURED_SEEDS)
                .group_by(MeasurementRow.evaluation_id)
            )
            self._known[phase_id] = [phase.shard_seeds * mean for mean in self._session.scalars(means)]
        return self._known[phase_id]

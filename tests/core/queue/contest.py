"""Competitions, teams and entries, for tests of whose turn it is."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select

from services.core.models import (
    Account,
    BenchmarkRow,
    Competition,
    Device,
    Evaluation,
    Line,
    Phase,
    PhaseKind,
    Shard,
    State,
    Team,
)
from services.core.queue import leases
from services.core.queue.leases import Lease, WorkerOffer
from services.core.queue.lifecycle import ENDED, cancel, lock_evaluation, queue_evaluation
from services.core.store.database import Database, WriteSession, utc_now

__all__ = ["OFFER", "Contest", "add_phase_to"]

OFFER = WorkerOffer(worker="w1", device=Device.CPU, device_class="cpu-x86_64", memory_bytes=2**31)


def add_phase_to(
    session: WriteSession, competition: Competition, kind: PhaseKind = PhaseKind.FEEDBACK, device: Device = Device.CPU
) -> Phase:
    """Add a phase whose evaluations have one run a shard."""
    phase = Phase(
        competition_id=competition.id,
        slug=uuid4().hex,
        kind=kind,
        benchmark_id=session.scalars(select(BenchmarkRow.id).limit(1)).one(),
        opens_at=utc_now() - timedelta(days=1),
        closes_at=utc_now() + timedelta(days=1),
        seeds=1,
        shard_seeds=1,
        quota_per_day=1000,
        seed_timeout_s=1.0,
        memory_bytes=2**30,
        device=device,
        metric="neurips-2023",
        max_time_ratio=0.2,
        data_hidden=False,
    )
    session.add(phase)
    session.flush()
    return phase


@dataclass
class Contest:
    """Competitions of some weights, a number of teams, and what they queued."""

    database: Database
    weights: list[int]
    teams: list[UUID] = field(default_factory=list)
    competitions: list[UUID] = field(default_factory=list)
    phases: dict[tuple[int, PhaseKind], UUID] = field(default_factory=dict)

    def open(self, teams: int) -> None:
        """End what other contests left open, and add rows."""
        with self.database.write() as session:
            for one in session.scalars(select(Evaluation.id).where(Evaluation.state.not_in(ENDED))).all():
                cancel(session, lock_evaluation(session, one))
            organiser = Account(username=uuid4().hex, password_hash="-")
            session.add(organiser)
            if not session.scalars(select(BenchmarkRow.id).limit(1)).first():
                session.add(BenchmarkRow(digest="d" * 64, name="tiny", manifest={}, manifest_blob="m" * 64))
            added = [Team(name=uuid4().hex) for _ in range(teams)]
            session.add_all(added)
            session.flush()
            self.teams = [team.id for team in added]
            for number, weight in enumerate(self.weights):
                competition = Competition(slug=uuid4().hex, title="Cup", owner_id=organiser.id, weight=weight)
                session.add(competition)
                session.flush()
                self.competitions.append(competition.id)
                for kind in PhaseKind:
                    self.phases[number, kind] = add_phase_to(session, competition, kind).id

    def submit(
        self, team: int | None, competition: int = 0, kind: PhaseKind = PhaseKind.FEEDBACK, shards: int = 1
    ) -> UUID:
        """Queue an entry of a team, or, without one, a run for a rescoring."""
        with self.database.write() as session:
            phase = session.get_one(Phase, self.phases[competition, kind])
            phase.seeds = shards
            team_id = None if team is None else self.teams[team]
            return queue_evaluation(session, phase, uuid4().hex.ljust(64, "0"), team_id=team_id).id

    def claim(self, offer: WorkerOffer = OFFER) -> Lease | None:
        with self.database.write() as session:
            return leases.claim(session, offer, 30)

    def whose(self, lease: Lease) -> tuple[int | None, int, PhaseKind]:
        """Tell the team, competition and kind of phase of a claim."""
        with self.database.read() as session:
            line = session.get_one(Line, session.get_one(Shard, lease.shard_id).line_id)
            team = None if line.team_id is None else self.teams.index(line.team_id)
            return team, self.competitions.index(line.phase.competition_id), line.phase.kind

    def order(self, claims: int) -> list[int | None]:
        """Claim some shards; return whose they were."""
        found = [self.claim() for _ in range(claims)]
        return [self.whose(lease)[0] for lease in found if lease is not None]

    def assert_counted(self) -> None:
        """Every line's count is the number of its queued shards."""
        with self.database.read() as session:
            waiting = select(func.count()).where(Shard.line_id == Line.id, Shard.state == State.QUEUED)
            for noted, found in session.execute(select(Line.queued, waiting.scalar_subquery())):
                assert noted == found

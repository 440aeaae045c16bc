"""The joint board of a final on several benchmarks: teams by the mean of their ranks.

The interval of a mean rank is the mean of the rank intervals' ends, one interval for each of B benchmarks. Each of
these comes from the paired tests of its board, and misses its rank with probability 0.05 / B at most. So all B hold
together with 95% (Bonferroni), and so does the mean's. It is wide rather than wrong: it needs no assumption on how the
errors of one team on several benchmarks hang together.

A team without a rank on some benchmark has no joint rank, and comes last. Ranks on a benchmark are those of its board.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from uuid import UUID

from sqlalchemy import delete

from services.core.board import standings
from services.core.board.order import Submitted
from services.core.board.paired import LEVEL
from services.core.finals.sealed import phases_of
from services.core.models import Final, JointRow, Phase, Reference
from services.core.models.stored import JointPlace
from services.core.store.database import Database, ReadSession
from services.scorer.standings import ranking
from services.scorer.standings.boards import BoardRead

__all__ = ["TeamPlaces", "keep_joint", "order_jointly"]


@dataclass(slots=True)
class TeamPlaces:
    """The places of one team on the benchmarks that it is on the board of."""

    team_id: UUID
    submitted: Submitted
    places: list[JointPlace] = field(default_factory=list)


def keep_joint(database: Database, final_id: UUID) -> bool:
    """Compute a final's joint board if one of its boards has changed; return whether it was computed."""
    with database.read() as session:
        final = session.get_one(Final, final_id)
        phases = phases_of(session, final)
        boards = [standings.newest(session, phase) for phase in phases]
        found = {board.phase_id: board for board in boards if board is not None}
        newest = [board.id for board in found.values()]
        if len(phases) < 2 or len(found) < len(phases) or final.joint_of == newest:
            return False
        teams = _read(session, [(phase, found[phase.id].moment) for phase in phases])
    rows = order_jointly(teams, benchmarks=len(phases))
    with database.write() as session:
        session.execute(delete(JointRow).where(JointRow.final_id == final_id))
        for row in rows:
            row.final_id = final_id
        session.add_all(rows)
        session.get_one(Final, final_id).joint_of = newest
    return True


def order_jointly(teams: Mapping[UUID, TeamPlaces], *, benchmarks: int) -> list[JointRow]:
    """Order teams by the mean of their ranks, the earlier submission first among equals, who share a rank."""
    rows = {team.team_id: _row(team, benchmarks) for team in teams.values()}
    ordered = sorted(rows.values(), key=lambda row: _key(row, teams[row.team_id]))
    for position, row in enumerate(ordered, start=1):
        row.position = position
        if row.mean_rank is not None:
            before = ordered[position - 2] if position > 1 else None
            row.rank = before.rank if before is not None and before.mean_rank == row.mean_rank else position
    return ordered


def _row(team: TeamPlaces, benchmarks: int) -> JointRow:
    row = JointRow(team_id=team.team_id, places=team.places)
    ranks = [(one.rank, one.rank_best, one.rank_worst) for one in team.places if one.rank is not None]
    if len(ranks) == benchmarks:
        row.mean_rank, row.mean_low, row.mean_high = (
            fmean(rank for rank in of_kind if rank is not None) for of_kind in zip(*ranks, strict=True)
        )
    return row


def _key(row: JointRow, team: TeamPlaces) -> tuple[bool, float, Submitted]:
    return row.mean_rank is None, row.mean_rank or 0.0, team.submitted


def _read(session: ReadSession, boards: Sequence[tuple[Phase, datetime]]) -> dict[UUID, TeamPlaces]:
    """Rank each board anew, with intervals at its share of the level."""
    teams: dict[UUID, TeamPlaces] = {}
    for phase, moment in boards:
        read = BoardRead(session, phase, moment)
        lines = list(read.lines())
        ranked = ranking.standings(lines, phase.max_time_ratio, level=LEVEL / len(boards))
        for team_id, line, one in zip(read.team_ids, lines, ranked, strict=True):
            if line.reference is Reference.NONE:
                team = teams.setdefault(team_id, TeamPlaces(team_id, line.submitted))
                team.places.append(_place(phase, line, one))
    return teams


def _place(phase: Phase, line: ranking.BoardLine, one: ranking.Standing) -> JointPlace:
    return JointPlace(
        phase=phase.slug,
        rank=one.rank,
        rank_best=one.rank_interval and one.rank_interval.best,
        rank_worst=one.rank_interval and one.rank_interval.worst,
        final_score=line.final_score,
        submission_id=line.submitted.submission_id,
    )

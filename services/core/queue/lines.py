"""Lines: whose shards wait, and how many. Whoever locks both locks evaluations before lines, and lines by their ids.

A line costs the team whose upload queued the evaluation.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, update

from services.core.models import Evaluation, Line, Phase, PhaseKind, Shard, State
from services.core.store.database import WriteSession

__all__ = ["BEHIND_ALL", "count", "join", "line_of", "lock_lines_of", "sharing_turns", "waiting_shards"]

UNFINISHED = (State.QUEUED, State.RUNNING)
BEHIND_ALL = 2**62  # the turn of a line that runs if nothing else waits; no other turn ever comes near


def line_of(session: WriteSession, phase: Phase, team_id: UUID | None, *, behind: bool = False) -> Line:
    """Find the line of a team in a phase, or make one. Without a team it is that of the phase's runs for rescorings.

    A new line that is to be `behind` runs only if nothing else waits.

    The caller has locked the team, or the phase.
    """
    found = session.scalars(select(Line).where(Line.phase_id == phase.id, _is_of(team_id))).one_or_none()
    if found is not None:
        return found
    sibling = session.scalars(sharing_turns(phase, team_id).limit(1)).first()
    line = Line(
        phase_id=phase.id,
        team_id=team_id,
        turn=sibling.turn if sibling else BEHIND_ALL if behind else 0,
        turns_left=sibling.turns_left if sibling else phase.competition.weight,
        queued=0,
    )
    session.add(line)
    session.flush()
    return line


def sharing_turns(phase: Phase, team_id: UUID | None) -> Select[Line]:
    """Select a team's lines in all phases of the competition, or in all its check phases if the phase is one."""
    is_check = phase.kind is PhaseKind.CHECK
    alike = select(Phase.id).where(
        Phase.competition_id == phase.competition_id, (Phase.kind == PhaseKind.CHECK) == is_check
    )
    return select(Line).where(_is_of(team_id), Line.phase_id.in_(alike)).order_by(Line.id)


def count(session: WriteSession, line_id: UUID, change: int) -> None:
    """Note that some shards more, or fewer, wait in a line."""
    session.execute(update(Line).where(Line.id == line_id).values(queued=Line.queued + change))


def waiting_shards(session: WriteSession, evaluation: Evaluation) -> int:
    """Count the queued shards of a locked evaluation."""
    waiting = select(func.count()).where(Shard.evaluation_id == evaluation.id, Shard.state == State.QUEUED)
    return session.scalars(waiting).one()


def lock_lines_of(session: WriteSession, evaluation_ids: Collection[UUID]) -> None:
    """Lock the lines of several locked evaluations, in the order that keeps transactions from deadlock."""
    theirs = select(Shard.line_id).where(Shard.evaluation_id.in_(evaluation_ids))
    session.execute(select(Line.id).where(Line.id.in_(theirs)).order_by(Line.id).with_for_update())


def join(session: WriteSession, phases: Collection[Phase], team_id: UUID, into_id: UUID) -> None:
    """Let what a team has queued in the phases wait in another team's lines, behind whichever of both comes later.

    Both teams are locked, so neither queues anything meanwhile. Otherwise a merged team would have two turns.
    """
    ids = [phase.id for phase in phases]
    waiting = select(Shard.evaluation_id).join(Line, Line.id == Shard.line_id)
    waiting = waiting.where(Line.team_id == team_id, Line.phase_id.in_(ids), Shard.state.in_(UNFINISHED))
    locked = select(Evaluation.id).where(Evaluation.id.in_(waiting)).order_by(Evaluation.id).with_for_update()
    session.execute(locked)
    both = select(Line).where(Line.team_id.in_((team_id, into_id)), Line.phase_id.in_(ids)).order_by(Line.id)
    found = session.scalars(both.with_for_update().execution_options(populate_existing=True)).all()
    there = {line.phase_id: line for line in found if line.team_id == into_id}
    for line in found:
        if line.team_id == team_id:
            _pour(session, line, there.setdefault(line.phase_id, line), into_id)
    _wait_together(found, {phase.id: phase.kind is PhaseKind.CHECK for phase in phases})
    session.flush()


def _pour(session: WriteSession, line: Line, into: Line, into_id: UUID) -> None:
    if into is line:
        line.team_id = into_id
        return
    theirs = (Shard.line_id == line.id, Shard.state.in_(UNFINISHED))
    session.execute(update(Shard).where(*theirs).values(line_id=into.id))
    into.queued, line.queued = into.queued + line.queued, 0


def _wait_together(lines: Sequence[Line], is_check: Mapping[UUID, bool]) -> None:
    """Give the lines that take turns as one the turn that comes last among them."""
    for check in (True, False):
        sharing = [line for line in lines if is_check[line.phase_id] is check]
        last = max(((line.turn, -line.turns_left) for line in sharing), default=(0, 0))
        for line in sharing:
            line.turn, line.turns_left = last[0], -last[1]


def _is_of(team_id: UUID | None) -> ColumnElement[bool]:
    return Line.team_id.is_(None) if team_id is None else Line.team_id == team_id

"""Moving what a team submitted to a competition into another team's account.

A merge is one more dated input of the boards: it moves pointers of both teams at one moment, and no earlier board
changes. Where submissions belonged before is kept, because boards as of earlier moments count a team's entries.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from services.core.board.exclusions import FinalStarted, final_has_started, follow, lock_phases
from services.core.finals.selections import TooManySelected
from services.core.models import (
    CodeBand,
    Exclusion,
    Final,
    Phase,
    Reference,
    Selection,
    Submission,
    Team,
    Transfer,
)
from services.core.queue import lines
from services.core.store.database import WriteSession, clock, utc_now

__all__ = ["move_entries"]


def move_entries(session: WriteSession, competition_id: UUID, team: Team, into: Team) -> int:
    """Let all that a team submitted to a competition count for another team; return the number of submissions.

    Both teams are locked. Reference rows stay. Raises FinalStarted, or TooManySelected if both together entered more
    into a final than one team may.
    """
    phases = lock_phases(session, competition_id)
    theirs = (
        Submission.team_id == team.id,
        Submission.phase_id.in_([phase.id for phase in phases]),
        Submission.reference == Reference.NONE,
    )
    moved = session.scalars(select(Submission).where(*theirs).order_by(Submission.id)).all()
    if not moved:
        return 0
    if final_has_started(session, competition_id, utc_now()):
        raise FinalStarted("A final has started, so entries are fixed, and teams stay as they are.")
    lines.join(session, phases, team.id, into.id)
    _reassign(session, competition_id, moved, into)
    _require_selections(session, competition_id, into)
    before = clock(session)
    follow(session, phases, team.id, into.id)
    _remember(session, phases, moved, team, before)
    return len(moved)


def _reassign(session: WriteSession, competition_id: UUID, moved: Sequence[Submission], into: Team) -> None:
    """Write the new team wherever rows repeat it. Acts and old pointers keep the team of their time."""
    ids = [one.id for one in moved]
    for submission in moved:
        submission.team = into
    session.flush()
    session.execute(
        update(Exclusion).where(Exclusion.submission_id.in_(ids), Exclusion.ended_at.is_(None)).values(team_id=into.id)
    )
    session.execute(update(Selection).where(Selection.submission_id.in_(ids)).values(team_id=into.id))
    of_code = (CodeBand.competition_id == competition_id, CodeBand.submission_id.in_(ids))
    session.execute(update(CodeBand).where(*of_code).values(team_id=into.id))


def _require_selections(session: WriteSession, competition_id: UUID, into: Team) -> None:
    counted = (
        select(Phase.slug, Final.selects)
        .join(Final, Final.phase_id == Phase.id)
        .join(Selection, Selection.final_id == Final.id)
        .where(Final.competition_id == competition_id, Selection.team_id == into.id)
        .group_by(Phase.slug, Final.selects)
        .having(func.count() > Final.selects)
    )
    for slug, selects in session.execute(counted):
        raise TooManySelected(
            f"Together the teams entered more than {selects} into {slug!r}. Take some back before you merge."
        )


def _remember(
    session: WriteSession, phases: Sequence[Phase], moved: Sequence[Submission], team: Team, before: datetime
) -> None:
    """Note for whom the submissions counted until the moment at which the pointers of their phase moved."""
    since = {phase.id: max(before, phase.board_moved_at or before) for phase in phases}
    session.add_all(Transfer(submission_id=one.id, at=since[one.phase_id], from_id=team.id) for one in moved)
    session.flush()

"""Which submissions are off the board: of disqualified teams, disqualified, or withdrawn by their team.

The board's function asks here, and nobody else decides it.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.util import AliasedClass

from services.core.models import Entered, Exclusion, ExclusionKind, Phase, Reference, Submission
from services.core.store.database import ReadSession

__all__ = ["disqualified_teams", "entry_is_off", "is_off", "off_board", "reasons_of", "team_is_off"]

Named = aliased(Submission)  # the submission that an exclusion names
Selected = aliased(Submission)  # the one that an entry of a final is a copy of


def off_board() -> ColumnElement[bool]:
    """Select the submissions that are off the board now."""
    return or_(entry_is_off(), team_is_off())


def entry_is_off() -> ColumnElement[bool]:
    """Select the submissions that are withdrawn or disqualified themselves."""
    named = exists().where(_counts(), Named.id == Exclusion.submission_id, _is_about_entry())
    return named.correlate(Submission)


def team_is_off() -> ColumnElement[bool]:
    """Select the submissions of teams that are disqualified from the competition."""
    return exists().where(_counts(), _is_about_team()).correlate(Submission)


def is_off(session: ReadSession, submission: Submission) -> bool:
    """Tell whether one submission is off the board now."""
    found = select(Submission.id).where(Submission.id == submission.id, off_board())
    return session.scalar(found) is not None


def reasons_of(session: ReadSession, submission_ids: Collection[UUID]) -> dict[UUID, list[Exclusion]]:
    """Find why submissions are off the board now, and the disqualifications of them that have ended; oldest first."""
    told = or_(Exclusion.ended_at.is_(None), Exclusion.kind == ExclusionKind.DISQUALIFIED)
    statement = (
        select(Submission.id, Exclusion)
        .join(Exclusion, and_(_is_of_its_team(), told))
        .outerjoin(Named, Named.id == Exclusion.submission_id)
        .where(Submission.id.in_(submission_ids), or_(_is_about_entry(), _is_about_team()))
        .options(joinedload(Exclusion.team), joinedload(Exclusion.submission))
        .order_by(Exclusion.created_at, Exclusion.id)
    )
    found: dict[UUID, list[Exclusion]] = {}
    for submission_id, exclusion in session.execute(statement):
        found.setdefault(submission_id, []).append(exclusion)
    return found


def disqualified_teams(competition_id: UUID, team_ids: Collection[UUID]) -> Select[Exclusion]:
    """Select the disqualifications of some teams from a competition."""
    return select(Exclusion).where(
        Exclusion.competition_id == competition_id,
        Exclusion.team_id.in_(team_ids),
        Exclusion.submission_id.is_(None),
        Exclusion.ended_at.is_(None),
    )


def _counts() -> ColumnElement[bool]:
    """Whether an exclusion of a submission's team has not ended."""
    return and_(_is_of_its_team(), Exclusion.ended_at.is_(None))


def _is_of_its_team() -> ColumnElement[bool]:
    return Exclusion.team_id == Submission.team_id


def _is_about_entry() -> ColumnElement[bool]:
    """Whether an exclusion names a submission, or disqualifies one of its team with the same code in its phase.

    Otherwise a team would hand in the disqualified code again, and have its score at once. What takes a submission off
    takes off the entries of finals that were made of it, too.
    """
    return or_(_names(Submission), _names_selected())


def _names(one: type[Submission] | AliasedClass[Submission]) -> ColumnElement[bool]:
    same_code = and_(
        Exclusion.kind == ExclusionKind.DISQUALIFIED,
        Named.phase_id == one.phase_id,
        Named.code_sha256 == one.code_sha256,
    )
    return or_(Named.id == one.id, same_code)


def _names_selected() -> ColumnElement[bool]:
    found = exists().where(Entered.submission_id == Submission.id, Selected.id == Entered.selected_id, _names(Selected))
    return found.correlate(Submission, Named, Exclusion)


def _is_about_team() -> ColumnElement[bool]:
    """Whether an exclusion disqualifies the team from a submission's competition. Reference rows stay."""
    competition = select(Phase.competition_id).where(Phase.id == Submission.phase_id).correlate(Submission)
    return and_(
        Exclusion.submission_id.is_(None),
        Exclusion.competition_id == competition.scalar_subquery(),
        Submission.reference == Reference.NONE,
    )

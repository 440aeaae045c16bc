"""Who may read and judge entries."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from services.api.competitions.rights import require_writable
from services.api.judging.legible import LegibleFile, files_of
from services.api.judging.schemas import Disqualification
from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.api.submissions.service import find_visible
from services.api.teams.seats import is_member
from services.core.board import exclusions
from services.core.errors import BadInput, NotFound
from services.core.models import Competition, Exclusion, ExclusionKind, Submission, Team
from services.core.store.blobs import Blobs
from services.core.store.database import ReadSession, WriteSession

__all__ = [
    "NotInThatTeam",
    "code_of",
    "disqualify",
    "exclusions_of",
    "find_disqualification",
    "find_own",
    "reenter",
    "withdraw",
]


class NotInThatTeam(Forbidden):
    code = "not_in_that_team"


def code_of(blobs: Blobs, submission: Submission) -> list[LegibleFile]:
    """Read the files of a submission's upload."""
    return files_of(submission.filename, submission.kind, blobs.get(submission.blob))


def disqualify(session: WriteSession, who: Principal, competition: Competition, body: Disqualification) -> Exclusion:
    """Disqualify an entry or a team. Raises BadInput unless just one is named, NotFound or AlreadyOff."""
    require_writable(competition)
    if (body.submission_id is None) == (body.team is None):
        raise BadInput("Name either a submission, with `submission_id`, or a `team`.")
    if body.team is not None:
        team = session.scalars(select(Team).where(Team.name == body.team)).one_or_none()
        if team is None:
            raise NotFound(f"There is no team {body.team!r}. Check its name.")
        return exclusions.disqualify_team(session, competition, team, who.account_id, body.reason)
    submission = session.get(Submission, body.submission_id)
    if submission is None or submission.phase.competition_id != competition.id:
        raise NotFound(f"{competition.slug!r} has no submission {body.submission_id}. Check the id.")
    return exclusions.disqualify_entry(session, submission, who.account_id, body.reason)


def find_disqualification(session: ReadSession, competition: Competition, exclusion_id: UUID) -> Exclusion:
    """Find a disqualification of a competition. Raises NotFound."""
    found = session.get(Exclusion, exclusion_id)
    if found is None or found.competition_id != competition.id or found.kind is not ExclusionKind.DISQUALIFIED:
        raise NotFound(f"{competition.slug!r} has no disqualification {exclusion_id}.")
    return found


def exclusions_of(competition: Competition, *, current: bool | None) -> Select[Exclusion]:
    """Select what is or was off the boards of a competition."""
    statement = select(Exclusion).options(joinedload(Exclusion.team), joinedload(Exclusion.submission))
    statement = statement.where(Exclusion.competition_id == competition.id)
    if current is not None:
        statement = statement.where(Exclusion.ended_at.is_(None) if current else Exclusion.ended_at.is_not(None))
    return statement


def withdraw(session: WriteSession, who: Principal, submission_id: UUID) -> Submission:
    """Withdraw a submission of the caller's team. Raises NotInThatTeam, AlreadyOff or FinalStarted."""
    submission = find_own(session, who, submission_id)
    exclusions.withdraw(session, submission, who.account_id)
    return submission


def reenter(session: WriteSession, who: Principal, submission_id: UUID) -> Submission:
    """Let a withdrawn submission of the caller's team compete again. Raises NotInThatTeam, NotOff or FinalStarted."""
    submission = find_own(session, who, submission_id)
    withdrawn = select(Exclusion).where(
        Exclusion.submission_id == submission.id,
        Exclusion.kind == ExclusionKind.WITHDRAWN,
        Exclusion.ended_at.is_(None),
    )
    found = session.scalars(withdrawn).one_or_none()
    if found is None:
        raise exclusions.NotOff("The submission is not withdrawn.")
    exclusions.lift(session, found, who.account_id)
    return submission


def find_own(session: ReadSession, who: Principal, submission_id: UUID) -> Submission:
    """Find a submission of one of the caller's teams. Raises NotFound or NotInThatTeam."""
    submission = find_visible(session, who, submission_id)
    if not is_member(session, who, submission.team_id):
        raise NotInThatTeam(f"Only team {submission.team.name!r} may do this. As an organiser you can disqualify it.")
    require_writable(submission.phase.competition)
    return submission

"""Taking entries and teams off the board, and putting them back.

An exclusion is one more dated input of the board. It moves the pointers of one team, so nothing here grows with the
contest; no earlier board changes; and lifting it puts back what the board's function gives without it. Every act is on
record. Callers check who may.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from services.core.board import pointers
from services.core.board.standings import lock_board
from services.core.errors import Conflict
from services.core.models import (
    Act,
    Campaign,
    CampaignState,
    Competition,
    Exclusion,
    ExclusionKind,
    Final,
    FinalPhase,
    Phase,
    PhaseKind,
    Submission,
    Team,
)
from services.core.record.acts import record
from services.core.references import platform
from services.core.store.database import ReadSession, WriteSession, clock, utc_now

__all__ = [
    "AlreadyOff",
    "FinalStarted",
    "NotOff",
    "PlatformRow",
    "disqualify_entry",
    "disqualify_team",
    "final_has_started",
    "follow",
    "lift",
    "lock_phases",
    "retire",
    "withdraw",
]

LIFTED = {
    (ExclusionKind.DISQUALIFIED, True): Act.ENTRY_REINSTATED,
    (ExclusionKind.DISQUALIFIED, False): Act.TEAM_REINSTATED,
    (ExclusionKind.WITHDRAWN, True): Act.ENTRY_REENTERED,
}


class AlreadyOff(Conflict):
    code = "already_off_board"


class NotOff(Conflict):
    code = "not_off_board"


class FinalStarted(Conflict):
    code = "final_started"


class PlatformRow(Conflict):
    code = "platform_row"


def disqualify_entry(session: WriteSession, submission: Submission, account_id: UUID, reason: str) -> Exclusion:
    """Take a submission off its board, with all that its team submits to the phase with the same code.

    Raises AlreadyOff, or PlatformRow.
    """
    _refuse_platform(submission.team_id)
    return _exclude_entry(session, submission, account_id, ExclusionKind.DISQUALIFIED, reason)


def disqualify_team(
    session: WriteSession, competition: Competition, team: Team, account_id: UUID, reason: str
) -> Exclusion:
    """Take all entries of a team off the boards of a competition, later ones too. Raises AlreadyOff, or PlatformRow."""
    _refuse_platform(team.id)
    phases = lock_phases(session, competition.id)
    exclusion = Exclusion(
        competition_id=competition.id,
        team_id=team.id,
        kind=ExclusionKind.DISQUALIFIED,
        reason=reason,
        account_id=account_id,
        created_at=clock(session),
    )
    _add(session, exclusion, f"Team {team.name!r} is disqualified already. Reinstate it first.")
    follow(session, phases, exclusion.team_id)
    _record(session, Act.TEAM_DISQUALIFIED, exclusion, account_id, reason)
    return exclusion


def withdraw(session: WriteSession, submission: Submission, account_id: UUID, reason: str = "") -> Exclusion:
    """Take a submission off its board for its team. Raises AlreadyOff, or FinalStarted once a final has opened."""
    _require_no_final(session, submission.phase.competition_id)
    return _exclude_entry(session, submission, account_id, ExclusionKind.WITHDRAWN, reason)


def retire(session: WriteSession, submission: Submission, account_id: UUID, reason: str) -> Exclusion:
    """Take a reference row of the platform off its board, because it no longer fits the phase. Raises AlreadyOff."""
    return _exclude_entry(session, submission, account_id, ExclusionKind.WITHDRAWN, reason)


def lift(session: WriteSession, exclusion: Exclusion, account_id: UUID, reason: str = "") -> None:
    """End an exclusion, so that what it took off competes again. Raises NotOff if it has ended already.

    A withdrawal raises FinalStarted once a final has opened.
    """
    if exclusion.kind is ExclusionKind.WITHDRAWN:
        _require_no_final(session, exclusion.competition_id)
    phases = _phases_of(session, exclusion)
    session.refresh(exclusion, with_for_update=True)
    if exclusion.ended_at is not None:
        raise NotOff("This has ended already: the entry or team is back.")
    exclusion.ended_at, exclusion.ended_reason = clock(session), reason
    session.flush()
    follow(session, phases, exclusion.team_id)
    _record(session, LIFTED[exclusion.kind, exclusion.submission_id is not None], exclusion, account_id, reason)


def final_has_started(session: ReadSession, competition_id: UUID, now: datetime) -> bool:
    """Tell whether a final of a competition has begun: it was started, or it takes uploads and has opened."""
    opened = exists().where(
        Phase.competition_id == competition_id,
        Phase.kind == PhaseKind.FINAL,
        Phase.opens_at <= now,
        Phase.id.not_in(select(FinalPhase.phase_id)),
    )
    started = exists().where(Final.competition_id == competition_id, Final.started_at.is_not(None))
    return bool(session.scalar(select(opened | started)))


def _exclude_entry(
    session: WriteSession, submission: Submission, account_id: UUID, kind: ExclusionKind, reason: str
) -> Exclusion:
    phases = _lock_phases_with(session, submission)
    session.refresh(submission, ["team_id"])  # its team may have merged while we waited
    exclusion = Exclusion(
        competition_id=submission.phase.competition_id,
        team_id=submission.team_id,
        submission_id=submission.id,
        kind=kind,
        reason=reason,
        account_id=account_id,
        created_at=clock(session),
    )
    _add(session, exclusion, f"The submission is {kind} already.")
    follow(session, phases, exclusion.team_id)
    act = Act.ENTRY_DISQUALIFIED if kind is ExclusionKind.DISQUALIFIED else Act.ENTRY_WITHDRAWN
    _record(session, act, exclusion, account_id, reason)
    return exclusion


def _refuse_platform(team_id: UUID) -> None:
    if team_id == platform.TEAM:
        raise PlatformRow("This row is the platform's, for comparison. Nobody competes with it, so it stays.")


def _require_no_final(session: ReadSession, competition_id: UUID) -> None:
    if final_has_started(session, competition_id, utc_now()):
        raise FinalStarted("A final has started, so entries are fixed. Ask the organiser to disqualify it instead.")


def _phases_of(session: WriteSession, exclusion: Exclusion) -> list[Phase]:
    """Lock the phases on whose boards an exclusion counts."""
    if exclusion.submission is None:
        return lock_phases(session, exclusion.competition_id)
    return _lock_phases_with(session, exclusion.submission)


def _lock_phases_with(session: WriteSession, submission: Submission) -> list[Phase]:
    """Lock the phase of a submission, and those of the finals into which it may have been selected."""
    finals = select(FinalPhase.phase_id)
    return lock_phases(
        session, submission.phase.competition_id, or_(Phase.id == submission.phase_id, Phase.id.in_(finals))
    )


def lock_phases(session: WriteSession, competition_id: UUID, which: ColumnElement[bool] | None = None) -> list[Phase]:
    """Lock phases of a competition, or all, in the order of their ids, so that nobody deadlocks."""
    phases = select(Phase).where(Phase.competition_id == competition_id, true() if which is None else which)
    return [lock_board(session, phase) for phase in session.scalars(phases.order_by(Phase.id)).all()]


def _add(session: WriteSession, exclusion: Exclusion, problem: str) -> None:
    session.add(exclusion)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise AlreadyOff(problem) from error


def follow(session: WriteSession, phases: list[Phase], *team_ids: UUID) -> None:
    """Move the pointers of teams, and let previews of rescorings be computed again."""
    for phase in phases:
        pointers.repoint(session, phase, team_ids=team_ids)
    open_ones = update(Campaign).where(
        Campaign.phase_id.in_([phase.id for phase in phases]), Campaign.state.in_(CampaignState.open())
    )
    session.execute(open_ones.values(inputs=Campaign.inputs + 1))


def _record(session: WriteSession, act: Act, exclusion: Exclusion, account_id: UUID, reason: str) -> None:
    submission = {} if exclusion.submission_id is None else {"submission": str(exclusion.submission_id)}
    record(
        session,
        act,
        competition_id=exclusion.competition_id,
        account_id=account_id,
        details=submission | {"exclusion": str(exclusion.id), "team": str(exclusion.team_id), "reason": reason},
    )

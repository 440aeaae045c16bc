"""Asking for a phase's reference rows, reading which there are, and retiring those that a change has overtaken.

A scorer makes what is missing as soon as others see the competition: a draft may change at every look. Callers check
who may.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, select

from services.core.board.exclusions import retire
from services.core.board.off import off_board
from services.core.models import Act, Phase, Reference, Submission, Visibility
from services.core.queue.lifecycle import ENDED, cancel, lock_evaluation
from services.core.record.acts import record
from services.core.references import platform
from services.core.references.planning import plan
from services.core.store.database import ReadSession, WriteSession

__all__ = [
    "ask",
    "ask_again",
    "current_rows",
    "ensure_for",
    "has_rows",
    "is_platforms",
    "renew",
    "stop",
    "waits_for_public",
]


def is_platforms() -> ColumnElement[bool]:
    """Select the submissions that the platform made."""
    return Submission.team_id == platform.TEAM


def waits_for_public(visibility: Visibility) -> bool:
    """Tell whether reference rows wait until others see the competition."""
    return visibility not in (Visibility.PUBLIC, Visibility.UNLISTED)


def ask(session: WriteSession, phase: Phase) -> None:
    """Let the scorer make the reference rows of a phase that are missing, failed or cancelled."""
    ensure_for(session, phase)
    phase.references, phase.references_at = True, None
    session.flush()


def ensure_for(session: WriteSession, phase: Phase) -> None:
    """Make the platform's account and team, if the phase's benchmark can have reference rows."""
    if plan(phase.benchmark.manifest):
        platform.ensure(session)


def ask_again(session: WriteSession, phase: Phase, account_id: UUID) -> None:
    """Do so for an organiser, on record."""
    ask(session, phase)
    details = {"phase": phase.slug}
    record(
        session,
        Act.REFERENCES_ASKED,
        competition_id=phase.competition_id,
        account_id=account_id,
        details=details,
    )


def current_rows(session: ReadSession, phase: Phase) -> dict[Reference, Submission]:
    """Return the newest row of each kind that the platform made in a phase and has not retired."""
    found = session.scalars(_rows(phase).where(~off_board()))
    return {row.reference: row for row in found}  # the newest comes last


def has_rows(session: ReadSession, phases: Sequence[Phase]) -> bool:
    """Tell whether the platform made rows in any of some phases."""
    found = exists().where(Submission.phase_id.in_([phase.id for phase in phases]), is_platforms())
    return bool(session.scalar(select(found)))


def stop(session: WriteSession, phases: Sequence[Phase]) -> None:
    """Cancel the reference rows of phases that have not ended, and make no more."""
    for phase in phases:
        phase.references = False
        for row in current_rows(session, phase).values():
            _cancel(session, row)
    session.flush()


def renew(session: WriteSession, phases: Sequence[Phase], account_id: UUID) -> None:
    """Retire the reference rows of phases whose benchmark or runs have changed, and ask for new ones."""
    for phase in phases:
        for row in current_rows(session, phase).values():
            _cancel(session, row)
            retire(session, row, account_id, "The phase changed, so the platform makes this row anew.")
        if phase.references:
            ask(session, phase)


def _cancel(session: WriteSession, row: Submission) -> None:
    evaluation = lock_evaluation(session, row.evaluation_id)
    if evaluation.state not in ENDED:
        cancel(session, evaluation)


def _rows(phase: Phase) -> Select[Submission]:
    of = and_(Submission.phase_id == phase.id, is_platforms())
    return select(Submission).where(of).order_by(Submission.created_at, Submission.id)

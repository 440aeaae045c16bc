"""What a sealed final hides: its boards and its entries, from everybody but those who run the competition.

Every reader asks here. An organiser's reference rows are not entries: whoever submitted one goes on seeing it.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from services.core.errors import LetheError, NotFound
from services.core.models import Final, FinalPhase, Phase, PhaseKind, Reference, Submission
from services.core.store.database import ReadSession

__all__ = [
    "BoardSealed",
    "NotAFinal",
    "final_of",
    "hidden_entries",
    "is_hidden",
    "is_sealed",
    "phases_of",
    "require_unsealed",
]


class BoardSealed(LetheError):
    code = "board_sealed"
    status = 403


class NotAFinal(NotFound):
    code = "not_a_final"


def final_of(phase: Phase) -> Final:
    """Return the final that a phase belongs to. Raises NotAFinal."""
    if phase.final_part is None:
        raise NotAFinal(f"Phase {phase.slug!r} takes uploads; nothing is selected into it. Name a final phase.")
    return phase.final_part.final


def phases_of(session: ReadSession, final: Final) -> list[Phase]:
    """List the phases of a final, one for each benchmark."""
    statement = select(Phase).join(FinalPhase, FinalPhase.phase_id == Phase.id).where(FinalPhase.final_id == final.id)
    return list(session.scalars(statement.order_by(FinalPhase.place)))


def is_sealed(phase: Phase) -> bool:
    """Tell whether a phase's board and entries are hidden."""
    if phase.kind is not PhaseKind.FINAL:  # most are not, and the rest costs a query
        return False
    return phase.final_part is not None and phase.final_part.final.published_at is None


def require_unsealed(phase: Phase) -> None:
    """Raise BoardSealed if a phase's board is hidden."""
    if is_sealed(phase):
        raise BoardSealed(
            f"The board of {phase.slug!r} is sealed until its organiser publishes the final. Come back then."
        )


def is_hidden(submission: Submission) -> bool:
    """Tell whether a submission is an entry of a sealed final."""
    return submission.reference is Reference.NONE and is_sealed(submission.phase)


def hidden_entries() -> ColumnElement[bool]:
    """Select the submissions that are entries of sealed finals."""
    return and_(Submission.reference == Reference.NONE, Submission.phase_id.in_(_sealed_phases()))


def _sealed_phases() -> Select[UUID]:
    statement = select(FinalPhase.phase_id).join(Final, Final.id == FinalPhase.final_id)
    return statement.where(Final.published_at.is_(None))

"""Writing down what happens, in the transaction of what it is about. Telling people is the API's, later."""

from services.core.models import Announcement, Evaluation, EventKind, Happening, HappeningKind, Phase
from services.core.store.database import WriteSession

__all__ = ["announced", "board_changed", "evaluation_moved"]

_TOLD = {  # the events of an evaluation that somebody may want to know of
    EventKind.QUEUED: HappeningKind.ACCEPTED,
    EventKind.RUNNING: HappeningKind.RUNNING,
    EventKind.SCORED: HappeningKind.SCORED,
    EventKind.CHECKED: HappeningKind.CHECKED,
    EventKind.FAILED: HappeningKind.FAILED,
    EventKind.CANCELLED: HappeningKind.CANCELLED,
}


def evaluation_moved(session: WriteSession, evaluation: Evaluation, event: EventKind) -> None:
    """Write down an event of an evaluation, if it is one that is told."""
    if event not in _TOLD:
        return
    phase = session.get_one(Phase, evaluation.phase_id)
    session.add(
        Happening(
            kind=_TOLD[event], competition_id=phase.competition_id, phase_id=phase.id, evaluation_id=evaluation.id
        )
    )


def announced(session: WriteSession, post: Announcement) -> None:
    """Write down that something was announced."""
    kind = HappeningKind.ANNOUNCED
    session.add(Happening(kind=kind, competition_id=post.competition_id, announcement_id=post.id))


def board_changed(session: WriteSession, phase: Phase) -> None:
    """Write down that a whole board changed at once: a rescoring or a final was published or undone."""
    kind = HappeningKind.BOARD_CHANGED
    session.add(Happening(kind=kind, competition_id=phase.competition_id, phase_id=phase.id))

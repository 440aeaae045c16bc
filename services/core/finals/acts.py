"""Making, starting, publishing and sealing a final. Each act is on record. Callers check who may.

Starting fixes who enters, and is over at once: the scorer enters the teams, a portion in each transaction. Starting
again enters only teams that have no entry yet, such as one that was reinstated. Publishing reveals the secret that all
seeds follow from; sealing hides boards and entries again, and cannot hide the secret.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select

from services.core import happenings
from services.core.errors import BadInput, Conflict
from services.core.finals.selections import lock_final, sources_of
from services.core.models import Act, Final, FinalPhase, LeaderboardEntry, Phase, Reference, Selection
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession, clock

__all__ = [
    "FinalEmpty",
    "FinalNotPublished",
    "FinalNotReady",
    "FinalNotStarted",
    "FinalPublished",
    "make",
    "publish",
    "seal",
    "start",
    "unmake",
]


class FinalEmpty(BadInput):
    code = "final_empty"


class FinalNotStarted(Conflict):
    code = "final_not_started"


class FinalNotReady(Conflict):
    code = "final_not_ready"


class FinalPublished(Conflict):
    code = "final_published"


class FinalNotPublished(Conflict):
    code = "final_not_published"


def make(session: WriteSession, phases: Sequence[Phase], *, selects: int, draws_from: Sequence[str] | None) -> Final:
    """Make a final of phases that were just added, one for each benchmark, with a secret of its own."""
    final = Final(
        phase=phases[0],
        competition_id=phases[0].competition_id,
        selects=selects,
        draws_from=None if draws_from is None else list(draws_from),
    )
    session.add(final)
    session.flush()
    session.add_all(FinalPhase(phase=phase, final=final, place=place) for place, phase in enumerate(phases))
    session.flush()
    for phase in phases:
        session.refresh(phase, ["final_part"])
    return final


def unmake(session: WriteSession, final: Final, phases: Sequence[Phase]) -> None:
    """Delete a final into which nobody selected anything, and its phases."""
    for phase in phases:
        session.delete(phase.final_part)
    session.flush()
    session.delete(final)
    session.flush()
    for phase in phases:
        session.expire(phase, ["final_part"])
        session.delete(phase)
    session.flush()


def start(session: WriteSession, final: Final, account_id: UUID) -> Final:
    """Fix who enters, so that the scorer begins to enter the teams; do nothing while it does.

    Raises FinalEmpty or FinalPublished.
    """
    lock_final(session, final)
    again = final.started_at is not None
    if again and final.entered_at is None:
        return final
    if final.published_at is not None:
        raise FinalPublished("The final is published. Seal it before you start it again.")
    if not _has_entries(session, final):
        names = ", ".join(one.slug for one in sources_of(session, final)) or "none"
        raise FinalEmpty(f"Nobody has a scored entry in the phases that the final draws from ({names}).")
    final.started_at = final.started_at or clock(session)
    final.entered_through = final.entered_at = final.progress = None
    _record(session, Act.FINAL_STARTED, final, account_id, again=again, commitment=final.commitment)
    return final


def publish(session: WriteSession, final: Final, account_id: UUID, *, anyway: bool = False) -> Final:
    """Show boards and entries to everybody, and reveal the secret.

    Raises FinalNotStarted, FinalPublished, and FinalNotReady while entries run, unless it is to happen anyway.
    """
    lock_final(session, final)
    if final.started_at is None:
        raise FinalNotStarted("The final has not started, so there is nothing to publish. Start it first.")
    if final.published_at is not None:
        raise FinalPublished("The final is published already.")
    if not anyway and not (final.progress and final.progress.complete):
        raise FinalNotReady("Not all entries have ended. Wait until they have, or publish it anyway.")
    final.published_at = clock(session)
    final.revealed_at = final.revealed_at or final.published_at
    proof = {"commitment": final.commitment, "secret": final.secret.hex()}
    happenings.board_changed(session, final.phase)
    _record(session, Act.FINAL_PUBLISHED, final, account_id, anyway=anyway, **proof)
    return final


def seal(session: WriteSession, final: Final, account_id: UUID) -> Final:
    """Hide boards and entries of a published final again. Raises FinalNotPublished."""
    lock_final(session, final)
    if final.published_at is None:
        raise FinalNotPublished("The final is not published, so it is sealed already.")
    final.published_at = None
    _record(session, Act.FINAL_SEALED, final, account_id)
    return final


def _has_entries(session: ReadSession, final: Final) -> bool:
    """Tell whether any team can have an entry: it is on a board, or it marked one."""
    on_board = exists().where(
        LeaderboardEntry.phase_id.in_([one.id for one in sources_of(session, final)]),
        LeaderboardEntry.reference == Reference.NONE,
        LeaderboardEntry.retired_at.is_(None),
    )
    return bool(session.scalar(select(on_board | exists().where(Selection.final_id == final.id))))


def _record(session: WriteSession, act: Act, final: Final, account_id: UUID, **details: object) -> None:
    own = {"phase": final.phase.slug, **details}
    record(session, act, competition_id=final.competition_id, account_id=account_id, details=own)

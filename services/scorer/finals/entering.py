"""Entering teams into a started final: a copy of each selected submission, and an evaluation on each benchmark.

Teams come in the order of their ids, a portion in each transaction, and the final keeps the last one. So a scorer that
ends in between loses nothing, and no team is entered twice. All runs stand in one line, which belongs to no team:
otherwise a team could tell from its place in the queue how far its sealed entry is.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer

from services.core.board.standings import lock_board
from services.core.finals.sealed import phases_of
from services.core.finals.seeds import seed_key
from services.core.finals.selections import Chooser, lock_final
from services.core.models import Entered, Final, Phase, Submission, SubmissionKind
from services.core.queue.lifecycle import queue_evaluation
from services.core.store.database import ReadSession, WriteSession, clock

__all__ = ["enter_some"]

PORTION = 20  # teams in one transaction


def enter_some(session: WriteSession, final_id: UUID) -> int:
    """Enter the next teams of a started final; return how many entries were made on each benchmark."""
    final = session.get_one(Final, final_id)
    for phase in sorted(phases_of(session, final), key=lambda phase: phase.id):
        lock_board(session, phase)
    lock_final(session, final)
    if final.started_at is None or final.entered_at is not None:
        return 0
    chooser = Chooser(session, final)
    teams = chooser.teams(after=final.entered_through, limit=PORTION)
    there = _entered(session, final, teams)
    made = 0
    for team_id in teams:
        choice = chooser.of(team_id)
        if team_id not in there:
            _enter(session, final, choice.submissions, by_default=choice.by_default)
            made += len(choice.submissions)
    if len(teams) < PORTION:
        final.entered_at = clock(session)
    else:
        final.entered_through = teams[-1]
    return made


def _entered(session: ReadSession, final: Final, teams: Sequence[UUID]) -> set[UUID]:
    """Find those teams that have an entry in the final already."""
    statement = select(Submission.team_id).join(Entered, Entered.submission_id == Submission.id)
    return set(session.scalars(statement.where(Submission.phase_id == final.phase_id, Submission.team_id.in_(teams))))


def _enter(session: WriteSession, final: Final, submissions: Sequence[Submission], *, by_default: bool) -> None:
    for one in submissions:
        selected = session.get_one(Submission, one.id, options=[undefer(Submission.sketch)], populate_existing=True)
        for phase in phases_of(session, final):
            session.add(
                Entered(
                    submission=_copy(session, final, phase, selected), selected_id=selected.id, by_default=by_default
                )
            )
    session.flush()


def _copy(session: WriteSession, final: Final, phase: Phase, selected: Submission) -> Submission:
    """Make the entry of a phase, which counts as submitted when the selected one was."""
    key = seed_key(final.secret, phase.benchmark.digest, selected.id)
    notebook = selected.kind is SubmissionKind.NOTEBOOK
    return Submission(
        phase_id=phase.id,
        team_id=selected.team_id,
        account_id=selected.account_id,
        evaluation=queue_evaluation(session, phase, selected.blob, notebook=notebook, seed_key=key),
        name=selected.name,
        filename=selected.filename,
        kind=selected.kind,
        reference=selected.reference,
        blob=selected.blob,
        code_sha256=selected.code_sha256,
        sketch=selected.sketch,
        size_bytes=selected.size_bytes,
        claim=selected.claim,
        created_at=selected.created_at,
    )

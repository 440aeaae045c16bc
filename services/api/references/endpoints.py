"""The reference rows that the platform makes: which there are, and making them again."""

from fastapi import APIRouter

from services.api.competitions.finding import find_phase
from services.api.competitions.rights import require_writable
from services.api.kit.policy import Organising, Reviewing
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.references.schemas import ReferenceRowOut, ReferencesOut
from services.core.board.standings import lock_board
from services.core.errors import BadInput
from services.core.models import Phase, Submission
from services.core.references.asking import ask_again, current_rows
from services.core.references.planning import PlannedReference, plan, why_none
from services.core.store.database import ReadSession

__all__ = ["NoReferences", "router"]

router = APIRouter(tags=["references"])
PATH = "/competitions/{slug}/phases/{phase}/references"


class NoReferences(BadInput):
    code = "no_references"


@router.get(PATH)
def show_references(slug: Text, phase: Text, who: Reviewing, session: Reading) -> ReferencesOut:
    """Show the reference rows that the platform makes in a phase, with their states."""
    return _show(session, find_phase(session, slug, phase, who=who))


@router.post(PATH)
def make_references(slug: Text, phase: Text, who: Organising, session: Writing) -> ReferencesOut:
    """Let the platform make the reference rows that are missing, and those that failed or were cancelled again."""
    found = find_phase(session, slug, phase, who=who)
    require_writable(found.competition)
    why = why_none(found.benchmark.manifest)
    if why is not None:
        raise NoReferences(why)
    lock_board(session, found)
    ask_again(session, found, who.account_id)
    return _show(session, found)


def _show(session: ReadSession, phase: Phase) -> ReferencesOut:
    rows = current_rows(session, phase)
    planned = plan(phase.benchmark.manifest)
    return ReferencesOut(
        wanted=phase.references,
        why_none=why_none(phase.benchmark.manifest),
        waiting=phase.references and phase.references_at is None,
        items=[_row(phase, one, rows.get(one.reference)) for one in planned],
    )


def _row(phase: Phase, planned: PlannedReference, made: Submission | None) -> ReferenceRowOut:
    evaluation = None if made is None else made.evaluation
    score = evaluation and evaluation.score_by(phase.metric)
    return ReferenceRowOut(
        reference=planned.reference,
        name=planned.name,
        epochs=planned.epochs,
        submission_id=made and made.id,
        state=evaluation and evaluation.shown_state,
        failure_kind=evaluation and evaluation.failure_kind,
        failure=evaluation and evaluation.failure_message,
        run_s=score and score.run_s,
        final_score=score and score.final_score,
    )

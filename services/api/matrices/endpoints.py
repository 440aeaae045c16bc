"""Matrices: these entries on those benchmarks, at any time, beside the contest. Their teams and the public see none."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Response
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from services.api.competitions.finding import find_phase, find_writable
from services.api.competitions.rights import require_writable
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Organising, Reviewing
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.matrices import service
from services.api.matrices.exports import table
from services.api.matrices.schemas import MatrixDetail, MatrixOut, NewMatrix
from services.api.state import State
from services.core.matrices import acts
from services.core.models import Matrix
from services.core.queue.doorbell import Bell

__all__ = ["router"]

router = APIRouter(tags=["matrices"])
PATH = "/competitions/{slug}/matrices"
CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.post("/competitions/{slug}/phases/{phase}/matrices", status_code=201)
def start_matrix(
    *,
    slug: Text,
    phase: Text,
    new: NewMatrix,
    who: Organising,
    session: Writing,
    state: State,
    background: BackgroundTasks,
) -> MatrixDetail:
    """Run scored entries of a phase on other benchmarks, under its limits. No board and no team sees it."""
    found = find_phase(session, slug, phase, who=who)
    require_writable(found.competition)
    matrix = acts.start(
        session,
        found,
        service.entries_named(session, found, new.entries),
        service.benchmarks_named(session, new.benchmarks),
        who.account_id,
        title=new.title,
        seeds=new.seeds or found.seeds,
    )
    background.add_task(state.doorbell.ring_across, Bell.RUN)
    return service.show(session, matrix)


@router.get(PATH)
def list_matrices(
    *, slug: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[MatrixOut]:
    """List the matrices of a competition, newest first."""
    competition = find_competition(session, slug, who)
    rows, following = newest_first(
        session,
        select(Matrix).options(joinedload(Matrix.phase)).where(Matrix.competition_id == competition.id),
        Matrix,
        cursors=state.cursors,
        listing=f"matrices:{competition.id}",
        limit=limit,
        after=after,
    )
    return Page(items=service.show_all(session, rows), next=following)


@router.get(PATH + "/{matrix_id}")
def show_matrix(slug: Text, matrix_id: UUID, who: Reviewing, session: Reading) -> MatrixDetail:
    """Show the table of a matrix: entries by mean rank, with their scores on each benchmark."""
    return service.show(session, service.find_matrix(session, find_competition(session, slug, who), matrix_id))


@router.get(PATH + "/{matrix_id}/table.csv", response_class=Response, responses=CSV)
def export_matrix(slug: Text, matrix_id: UUID, who: Reviewing, session: Reading) -> Response:
    """Download the table of a matrix as CSV: a line for each entry on each benchmark."""
    competition = find_competition(session, slug, who)
    shown = service.show(session, service.find_matrix(session, competition, matrix_id))
    name = f"{competition.slug}-matrix-{str(matrix_id)[:8]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(table(shown), media_type="text/csv; charset=utf-8", headers=headers)


@router.post(PATH + "/{matrix_id}/cancel")
def cancel_matrix(slug: Text, matrix_id: UUID, who: Organising, session: Writing) -> MatrixDetail:
    """Stop the runs of a matrix that have not ended. What is scored stays."""
    matrix = service.find_matrix(session, find_writable(session, slug, who), matrix_id)
    acts.cancel_matrix(session, matrix, who.account_id)
    return service.show(session, matrix)

"""Pictures for previews of links, citations, and submissions that teams share. All are made as for a stranger."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.api.competitions.finding import find_phase
from services.api.kit.origin import origin_of
from services.api.kit.policy import PUBLIC
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading
from services.api.sharing.card import Card
from services.api.sharing.cards import board_card, competition_card, find_entry
from services.api.sharing.citing import MEDIA_TYPES, CitationFormat, Work, entry_work, shared_work, work_of, written
from services.api.sharing.people_cards import shared_card, team_card
from services.api.sharing.pictures import picture_of
from services.api.sharing.shared import SharedOut, find_shared, show_shared

__all__ = ["router"]

router = APIRouter(tags=["sharing"], dependencies=[PUBLIC])

PNG: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}
CITATION: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The citation",
        "content": {
            "application/x-bibtex": {"schema": {"type": "string"}},
            "application/yaml": {"schema": {"type": "object"}},
        },
    }
}


@router.get("/competitions/{slug}/preview.png", response_class=Response, responses=PNG)
def draw_competition(slug: Text, session: Reading) -> Response:
    """Draw what a preview of a link to a competition shows."""
    return _png(competition_card(session, slug))


@router.get("/competitions/{slug}/phases/{phase}/preview.png", response_class=Response, responses=PNG)
def draw_board(slug: Text, phase: Text, session: Reading) -> Response:
    """Draw what a preview of a link to a leaderboard shows: its first entries, unless it is sealed."""
    return _png(board_card(session, slug, phase))


@router.get("/competitions/{slug}/citation.{form}", response_class=Response, responses=CITATION)
def cite_competition(slug: Text, form: CitationFormat, request: Request, session: Reading) -> Response:
    """Cite a competition, as BibTeX (`bib`) or as a CITATION file (`cff`)."""
    return _citation(work_of(competition_card(session, slug), slug, origin_of(request)), form)


@router.get("/competitions/{slug}/phases/{phase}/citations/{team}.{form}", response_class=Response, responses=CITATION)
def cite_entry(
    *, slug: Text, phase: Text, team: Text, form: CitationFormat, request: Request, session: Reading
) -> Response:
    """Cite the entry of a team that a leaderboard shows, as BibTeX (`bib`) or as a CITATION file (`cff`)."""
    found = find_phase(session, slug, phase)
    return _citation(entry_work(find_entry(session, found, team), found, found.metric, origin_of(request)), form)


@router.get("/teams/{name}/preview.png", response_class=Response, responses=PNG)
def draw_team(name: Text, session: Reading) -> Response:
    """Draw what a preview of a link to a team shows."""
    return _png(team_card(session, name))


@router.get("/shared/{submission_id}")
def show_shared_submission(submission_id: UUID, session: Reading) -> SharedOut:
    """Show a submission that its team shares: its score, and what it means."""
    return show_shared(session, find_shared(session, submission_id))


@router.get("/shared/{submission_id}/preview.png", response_class=Response, responses=PNG)
def draw_shared(submission_id: UUID, session: Reading) -> Response:
    """Draw what a preview of a link to a shared submission shows."""
    return _png(shared_card(session, submission_id))


@router.get("/shared/{submission_id}/citation.{form}", response_class=Response, responses=CITATION)
def cite_shared(submission_id: UUID, form: CitationFormat, request: Request, session: Reading) -> Response:
    """Cite a shared submission, as BibTeX (`bib`) or as a CITATION file (`cff`)."""
    shown = show_shared(session, find_shared(session, submission_id))
    return _citation(shared_work(shown, origin_of(request)), form)


def _png(card: Card) -> Response:
    headers = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(picture_of(card), media_type="image/png", headers=headers)


def _citation(work: Work, form: CitationFormat) -> Response:
    headers = {"Content-Disposition": f'inline; filename="CITATION.{form}"'}
    return Response(written(work, form), media_type=MEDIA_TYPES[form], headers=headers)

"""Endpoints for competitions, their phases and benchmarks."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from services.api.announcements.promises import announce_broken
from services.api.competitions import finding, service
from services.api.competitions.schemas import (
    BenchmarkOut,
    CompetitionChange,
    CompetitionDetail,
    CompetitionOut,
    EnvironmentOut,
    NewCompetition,
)
from services.api.competitions.starting_kit import starting_kit
from services.api.kit.finding import find_competition
from services.api.kit.origin import origin_of
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import PUBLIC, Anyone, Hosting, Operating, Organising
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.phases import service as phases_service
from services.api.phases.schemas import NewPhase, PhaseChange, PhaseOut
from services.api.state import State
from services.core import environments
from services.core.models import BenchmarkRow, Competition, EnvironmentRow
from services.core.store.database import ReadSession

__all__ = ["router"]

ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The starting kit",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = APIRouter(tags=["competitions"])


@router.get("/competitions")
def list_competitions(
    who: Anyone, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[CompetitionDetail]:
    """List competitions with their phases, newest first. Drafts and unlisted ones are listed only to organisers."""
    rows, following = newest_first(
        session,
        finding.competitions_seen_by(who),
        Competition,
        cursors=state.cursors,
        listing="competitions",
        limit=limit,
        after=after,
    )
    return Page(items=_shown(session, list(rows)), next=following)


@router.post("/competitions", status_code=201)
def create_competition(new: NewCompetition, who: Hosting, session: Writing) -> CompetitionOut:
    """Create a competition without phases."""
    return CompetitionOut.of(service.create_competition(session, who, new), who.username)


@router.get("/competitions/{slug}")
def show_competition(slug: Text, who: Anyone, session: Reading) -> CompetitionDetail:
    """Show a competition and its phases."""
    return _shown(session, [find_competition(session, slug, who)])[0]


@router.patch("/competitions/{slug}")
def change_competition(slug: Text, change: CompetitionChange, who: Operating, session: Writing) -> CompetitionDetail:
    """Change a competition's weight in the queue."""
    competition = find_competition(session, slug, who)
    service.weigh_competition(session, who, competition, change.weight)
    return _shown(session, [competition])[0]


@router.get("/competitions/{slug}/phases")
def list_phases(slug: Text, who: Anyone, session: Reading) -> Page[PhaseOut]:
    """List the phases of a competition in the order in which they open."""
    competition = find_competition(session, slug, who)
    phases = finding.phases_of(session, [competition])[competition.id]
    return Page(items=[PhaseOut.of(phase) for phase in phases], next=None)


@router.post("/competitions/{slug}/phases", status_code=201)
def add_phase(slug: Text, new: NewPhase, who: Organising, session: Writing) -> PhaseOut:
    """Add a phase to a competition."""
    return PhaseOut.of(phases_service.add_phase(session, who, find_competition(session, slug, who), new))


@router.patch("/competitions/{slug}/phases/{phase}")
def change_phase(slug: Text, phase: Text, change: PhaseChange, who: Organising, session: Writing) -> PhaseOut:
    """Change a phase's dates or quota."""
    found = finding.find_phase(session, slug, phase, who=who)
    told = phases_service.change_phase(session, who, found, change)
    if told:
        announce_broken(session, who, found.competition, told)
    return PhaseOut.of(found)


@router.get("/benchmarks", dependencies=[PUBLIC])
def list_benchmarks(session: Reading, state: State, limit: Limit = 50, after: After = None) -> Page[BenchmarkOut]:
    """List published benchmarks, newest first."""
    rows, following = newest_first(
        session,
        select(BenchmarkRow),
        BenchmarkRow,
        cursors=state.cursors,
        listing="benchmarks",
        limit=limit,
        after=after,
    )
    return Page(items=[BenchmarkOut.of(row) for row in rows], next=following)


@router.get("/environments", dependencies=[PUBLIC])
def list_environments(session: Reading) -> Page[EnvironmentOut]:
    """List the environments in which phases can run, with the packages of each. All are on one page."""
    return Page(items=[EnvironmentOut.of(row) for row in environments.all_environments(session)], next=None)


@router.get("/environments/{name}", dependencies=[PUBLIC])
def show_environment(name: Text, session: Reading) -> EnvironmentOut:
    """Show what code finds in an environment."""
    return EnvironmentOut.of(environments.find(session, name))


@router.get("/starting-kit", dependencies=[PUBLIC], response_class=Response, responses=ZIP)
def download_starting_kit(request: Request) -> Response:
    """Download the starting kit: a module, a notebook and a CI workflow to start from."""
    return _zip(starting_kit(origin_of(request)))


@router.get(
    "/competitions/{slug}/phases/{phase}/starting-kit",
    dependencies=[PUBLIC],
    response_class=Response,
    responses=ZIP,
)
def download_starting_kit_of_phase(slug: Text, phase: Text, request: Request, session: Reading) -> Response:
    """Download the starting kit, filled in for the phase, with `packages.txt` once the packages are known."""
    found = finding.find_phase(session, slug, phase)
    return _zip(starting_kit(origin_of(request), found, session.get(EnvironmentRow, found.environment)))


def _zip(kit: bytes) -> Response:
    return Response(
        kit, media_type="application/zip", headers={"Content-Disposition": 'attachment; filename="starting_kit.zip"'}
    )


def _shown(session: ReadSession, competitions: list[Competition]) -> list[CompetitionDetail]:
    owners = finding.owners_of(session, competitions)
    phases = finding.phases_of(session, competitions)
    return [
        CompetitionDetail(
            **CompetitionOut.of(row, owner).model_dump(), phases=[PhaseOut.of(phase) for phase in phases[row.id]]
        )
        for row, owner in zip(competitions, owners, strict=True)
    ]

"""A competition as a file: preview, apply, export, versions; its pages and their images; and its end."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Path, Response
from sqlalchemy import select
from sqlalchemy.orm import undefer

from services.api.competitions.finding import find_writable
from services.api.files.applying import Applied, apply_file, delete_competition, plan_file
from services.api.files.images import find_image, images_of, put_image, redrawn, remove_image
from services.api.files.schemas import (
    AppliedOut,
    ApplyIn,
    CompetitionFileOut,
    CompetitionImageOut,
    CompetitionPageOut,
    FileIn,
    PhaseSettingsIn,
    PhaseSettingsOut,
    PlanOut,
    VersionDetail,
    VersionOut,
)
from services.api.files.settings import change_settings, section_of
from services.api.files.stored import pages_of, stored_file, token_of
from services.api.files.writing import write_file
from services.api.kit.auth import Principal
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Anyone, Organising, Owning, OwningFile, Reviewing
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.state import State
from services.core.errors import NotFound
from services.core.models import Account, CompetitionVersion
from services.core.store.database import ReadSession, WriteSession

__all__ = ["router"]

router = APIRouter(tags=["competition files"])

IMAGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The image", "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}
MOST_VERSIONS = 2**31 - 1


@router.post("/competition-files/preview")
def preview_competition_file(file: FileIn, who: OwningFile, session: Reading) -> PlanOut:
    """Check a file and show what it would change. Nothing is written."""
    return PlanOut.of(plan_file(session, who, file.text))


@router.post("/competition-files/apply")
def apply_competition_file(body: ApplyIn, who: OwningFile, session: Writing) -> AppliedOut:
    """Create or change a competition as a file says: all of it, or nothing."""
    return _shown(session, who, apply_file(session, who, body.text, based_on=body.based_on, confirm=body.confirm))


@router.get("/competitions/{slug}/phases/{phase}/settings")
def show_settings(slug: Text, phase: Text, who: Reviewing, session: Reading) -> PhaseSettingsOut:
    """Show all settings of a phase, as the competition's file has them."""
    file = stored_file(session, find_competition(session, slug, who))
    return PhaseSettingsOut(settings=section_of(file, phase), token=token_of(file))


@router.put("/competitions/{slug}/phases/{phase}/settings")
def put_settings(slug: Text, phase: Text, body: PhaseSettingsIn, who: Organising, session: Writing) -> AppliedOut:
    """Change the settings of a phase, as applying the competition's file with them does."""
    competition = find_competition(session, slug, who)
    applied = change_settings(
        session, who, competition, phase, body.settings, based_on=body.based_on, confirm=body.confirm
    )
    return _shown(session, who, applied)


@router.get("/competitions/{slug}/file")
def export_competition_file(slug: Text, who: Reviewing, session: Reading) -> CompetitionFileOut:
    """Write the file of a competition from what is stored. Applying it changes nothing."""
    file = stored_file(session, find_competition(session, slug, who))
    return CompetitionFileOut(text=write_file(file), token=token_of(file))


@router.get("/competitions/{slug}/file/versions")
def list_versions(
    *, slug: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[VersionOut]:
    """List the files that were applied, newest first."""
    competition = find_competition(session, slug, who)
    rows, following = newest_first(
        session,
        select(CompetitionVersion).where(CompetitionVersion.competition_id == competition.id),
        CompetitionVersion,
        cursors=state.cursors,
        listing=f"versions:{competition.id}",
        limit=limit,
        after=after,
    )
    names = _names(session, {row.account_id for row in rows})
    return Page(items=[VersionOut.of(row, names[row.account_id]) for row in rows], next=following)


@router.get("/competitions/{slug}/file/versions/{number}")
def show_version(
    *, slug: Text, number: Annotated[int, Path(ge=1, le=MOST_VERSIONS)], who: Reviewing, session: Reading
) -> VersionDetail:
    """Show a file as it was applied."""
    competition = find_competition(session, slug, who)
    statement = select(CompetitionVersion).options(undefer(CompetitionVersion.text))
    statement = statement.where(
        CompetitionVersion.competition_id == competition.id, CompetitionVersion.number == number
    )
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound(f"{slug!r} has no version {number} of its file.")
    shown = VersionOut.of(row, _names(session, {row.account_id})[row.account_id])
    return VersionDetail(**shown.model_dump(), text=row.text)


@router.get("/competitions/{slug}/pages")
def list_pages(slug: Text, who: Anyone, session: Reading) -> Page[CompetitionPageOut]:
    """List the pages of a competition with their texts: rules, prizes, and further ones in order."""
    rows = pages_of(session, find_competition(session, slug, who))
    return Page(items=[CompetitionPageOut.of(row) for row in rows], next=None)


@router.get("/competitions/{slug}/images")
def list_images(slug: Text, who: Anyone, session: Reading) -> Page[CompetitionImageOut]:
    """List the images that pages of a competition show. All are on one page."""
    rows = images_of(session, find_competition(session, slug, who))
    return Page(items=[CompetitionImageOut.of(row) for row in rows], next=None)


@router.get("/competitions/{slug}/images/{name}", response_class=Response, responses=IMAGE)
def show_image(slug: Text, name: Text, who: Anyone, session: Reading, state: State) -> Response:
    """Show an image of a competition to whoever sees the competition."""
    row = find_image(session, find_competition(session, slug, who), name)
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=300"}
    return Response(state.blobs.get(row.blob), media_type=row.media_type, headers=headers)


@router.put("/competitions/{slug}/images/{name}")
def upload_image(
    *,
    slug: Text,
    name: Text,
    data: Annotated[bytes, Body(media_type="application/octet-stream", description="A PNG, JPEG or WebP image.")],
    who: Organising,
    session: Writing,
    state: State,
) -> CompetitionImageOut:
    """Add an image of at most 1 MiB, or replace the one of its name. Its pixels are kept, and nothing else of it."""
    drawn = redrawn(name, data)
    return CompetitionImageOut.of(
        put_image(session, state.blobs, who, find_writable(session, slug, who), name=name, drawn=drawn)
    )


@router.delete("/competitions/{slug}/images/{name}", status_code=204)
def delete_image(slug: Text, name: Text, who: Organising, session: Writing) -> None:
    """Remove an image. Pages that show it say its words instead."""
    remove_image(session, who, find_writable(session, slug, who), name)


@router.delete("/competitions/{slug}", status_code=204)
def remove_competition(slug: Text, who: Owning, session: Writing) -> None:
    """Delete a competition to which nobody has submitted. The record keeps its acts."""
    delete_competition(session, who, slug)


def _shown(session: WriteSession, who: Principal, applied: Applied) -> AppliedOut:
    session.expire_all()
    now = find_competition(session, applied.plan.slug, who)
    return AppliedOut.of(applied, token_of(stored_file(session, now)))


def _names(session: ReadSession, accounts: set[UUID]) -> dict[UUID, str]:
    return {row.id: row.username for row in session.scalars(select(Account).where(Account.id.in_(accounts)))}

"""Freezing a competition from its page: ask for an archive, see how far it is, download it."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import exists, select

from services.api.frozen.contents import find_to_freeze
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Organising, Reviewing
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.state import State
from services.core.errors import Conflict, NotFound
from services.core.models import Competition, Freeze, FreezeState

__all__ = ["router"]

router = APIRouter(tags=["frozen competitions"])
PATH = "/competitions/{slug}/freezes"
UNDER_WAY = (FreezeState.QUEUED, FreezeState.RUNNING)
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "The archive", "content": {"application/zip": {"schema": {"type": "string"}}}}
}


class FreezeUnderWay(Conflict):
    code = "freeze_under_way"


class FreezeOut(BaseModel):
    """An archive that somebody asked for."""

    id: UUID
    state: FreezeState
    done: int = Field(description="Rows of boards and links of the record that are written.")
    total: int = Field(description="Of how many; 0 until it is known.")
    available: bool = Field(description="Whether it can be downloaded. Archives are kept for 7 days.")
    size_bytes: int | None
    head: str | None = Field(description="The head of the record that the archive holds, as NUMBER:HASH.")
    reason: str | None = Field(description="Why it failed.")
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Freeze) -> Self:
        """Make the JSON form of an archive."""
        names = cls.model_fields.keys() - {"available"}
        return cls(**{name: getattr(row, name) for name in names}, available=row.blob is not None)


@router.post(PATH, status_code=202)
def freeze_competition(slug: Text, who: Organising, session: Writing) -> FreezeOut:
    """Ask for an archive of a competition. It is written beside the requests, one after another."""
    find_competition(session, slug, who)
    competition = find_to_freeze(session, slug)
    session.scalars(select(Competition).where(Competition.id == competition.id).with_for_update()).one()
    waits = exists().where(Freeze.competition_id == competition.id, Freeze.state.in_(UNDER_WAY))
    if session.scalar(select(waits)):
        raise FreezeUnderWay(f"An archive of {slug!r} is being written already. Wait until it has ended.")
    row = Freeze(competition_id=competition.id, account_id=who.account_id)
    session.add(row)
    session.flush()
    return FreezeOut.of(row)


@router.get(PATH)
def list_freezes(
    *, slug: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[FreezeOut]:
    """List the archives of a competition, newest first."""
    competition = find_competition(session, slug, who)
    rows, following = newest_first(
        session,
        select(Freeze).where(Freeze.competition_id == competition.id),
        Freeze,
        cursors=state.cursors,
        listing=f"freezes:{competition.id}",
        limit=limit,
        after=after,
    )
    return Page(items=[FreezeOut.of(row) for row in rows], next=following)


@router.get(PATH + "/{freeze_id}/archive", response_class=StreamingResponse, responses=ZIP)
def download_freeze(slug: Text, freeze_id: UUID, who: Reviewing, session: Reading, state: State) -> StreamingResponse:
    """Download an archive. It holds only what everybody may read."""
    competition = find_competition(session, slug, who)
    of_competition = (Freeze.id == freeze_id, Freeze.competition_id == competition.id)
    row = session.scalars(select(Freeze).where(*of_competition)).one_or_none()
    if row is None or row.blob is None:
        raise NotFound("There is no such archive, or none any more. Freeze the competition again.")
    headers = {
        "Content-Disposition": f'attachment; filename="{competition.slug}.zip"',
        "Content-Length": str(row.size_bytes),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(state.blobs.stream(row.blob), media_type="application/zip", headers=headers)

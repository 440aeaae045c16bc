"""Leaderboards: public, paged, and as of any date; and the alarms that only organisers see."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from services.api.competitions.service import find_phase, require_organiser
from services.api.kit.etags import etag, matches
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Anyone, Organising
from services.api.kit.schemas import Moment, Text
from services.api.kit.sessions import Reading
from services.api.leaderboard import keys, service
from services.api.leaderboard.alarms import AlarmedOut, alarmed, show_alarms
from services.api.leaderboard.schemas import LeaderboardOut
from services.api.state import State
from services.core.models import Submission
from services.core.store.database import utc_now

__all__ = ["router"]

router = APIRouter(tags=["leaderboard"])


@router.get(
    "/competitions/{slug}/phases/{phase}/leaderboard",
    response_model=LeaderboardOut,
    responses={304: {"description": "The leaderboard has not changed since the tag in If-None-Match."}},
)
def show_leaderboard(
    *,
    slug: Text,
    phase: Text,
    who: Anyone,
    session: Reading,
    state: State,
    response: Response,
    limit: Limit = 100,
    after: After = None,
    as_of: Annotated[Moment | None, Query(description="Show the leaderboard as of this time; default: now.")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> LeaderboardOut | Response:
    """Show the leaderboard, best first, ties in order of submission. Later pages show the same state as the first."""
    row = find_phase(session, slug, phase)
    listing = f"leaderboard:{row.id}:{as_of}"
    moment, last = keys.decode(state.cursors, listing, after) if after else (as_of or utc_now(), None)
    version = service.version_of(session, row, moment)
    moment = version.changed_at or moment
    own = service.find_own(session, row, moment, who.account_id) if who and last is None else []
    headers = {
        "ETag": etag(row.id, row.max_time_ratio, version, limit, last, own),
        "Cache-Control": "no-cache",
        "Vary": "Authorization, Cookie",
    }
    if matches(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    board = service.read_page(session, row, moment, limit=limit, after=last, own=own)
    following = keys.encode(state.cursors, listing, moment, board.last) if board.last else None
    return LeaderboardOut(
        competition=slug,
        phase=phase,
        metric=board.metric,
        max_time_ratio=row.max_time_ratio,
        as_of=version.changed_at,
        total=board.total,
        items=board.items,
        own=board.own,
        next=following,
    )


@router.get("/competitions/{slug}/phases/{phase}/alarms")
def list_alarms(
    *, slug: Text, phase: Text, who: Organising, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[AlarmedOut]:
    """List submissions with alarms, which their organiser should check, newest first. An alarm changes no score."""
    row = find_phase(session, slug, phase)
    require_organiser(who, row.competition)
    rows, following = newest_first(
        session,
        alarmed(row),
        Submission,
        cursors=state.cursors,
        listing=f"alarms:{row.id}",
        limit=limit,
        after=after,
    )
    return Page(items=show_alarms(session, row, list(rows)), next=following)

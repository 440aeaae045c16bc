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
from services.api.leaderboard.schemas import LeaderboardOut, page_of
from services.api.state import State
from services.core.models import Submission

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
    limit: Limit = 100,
    after: After = None,
    as_of: Annotated[Moment | None, Query(description="Show the leaderboard as of this time; default: now.")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Show the leaderboard, best first, ties in order of submission. Later pages show the same state as the first.

    An earlier state may have to be computed first: the answer is then 503 `standings_not_ready` with `Retry-After`.
    """
    row = service.find_phase(session, slug, phase)
    listing = f"leaderboard:{row.id}:{as_of}"
    moment, last = keys.decode(state.cursors, listing, after) if after else (as_of, 0)
    board = service.as_of(session, state.database, row, moment)
    own = service.find_own(session, board, who.account_id) if board and who and last == 0 else []
    behind = as_of is None and row.board_moved_at != (board and board.moment)
    headers = {
        "ETag": etag(row.id, row.max_time_ratio, board and board.id, behind, limit, last, own),
        "Cache-Control": "no-cache",
        "Vary": "Authorization, Cookie",
    }
    if matches(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    items = service.read_page(session, board, after=last, limit=limit) if board else []
    total = board.total if board else 0
    more = board is not None and last + limit < total
    page = page_of(
        competition=slug,
        phase=phase,
        metric=board.metric if board else row.metric,
        max_time_ratio=row.max_time_ratio,
        as_of=board and board.moment,
        behind=behind,
        total=total,
        items=items,
        own=service.read_own(session, board, own) if board else [],
        next=keys.encode(state.cursors, listing, board.moment, last + limit) if board and more else None,
    )
    return Response(page, media_type="application/json", headers=headers)


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

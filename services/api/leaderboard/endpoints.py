"""Leaderboards: public, paged, and as of any date; and the alarms that only organisers see."""

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Response

from services.api.competitions.finding import find_phase
from services.api.kit.etags import etag, matches
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import PUBLIC, Anyone, Reviewing
from services.api.kit.schemas import Moment, Text
from services.api.kit.sessions import Reading
from services.api.leaderboard import keys, service
from services.api.leaderboard.alarms import AlarmedOut, alarmed, show_alarms
from services.api.leaderboard.exports import badge, picture, rank_of, table
from services.api.leaderboard.schemas import LeaderboardOut, page_of
from services.api.state import State
from services.core.board import standings
from services.core.finals.sealed import is_sealed
from services.core.models import Submission

__all__ = ["router"]

router = APIRouter(tags=["leaderboard"])

MOST_EXPORTED = 1000
MOST_DRAWN = 50
EMBEDDED = {"Cache-Control": "public, max-age=60", "Cross-Origin-Resource-Policy": "cross-origin"}
CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
SVG: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {"image/svg+xml": {"schema": {"type": "string"}}}}
}


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
    row = service.find_phase(session, slug, phase, who)
    service.require_board(who, row)
    listing = f"leaderboard:{row.id}:{as_of}"
    moment, last = keys.decode(state.cursors, listing, after) if after else (as_of, 0)
    board = service.as_of(session, state.database, row, moment)
    own = service.find_own(session, board, who.account_id) if board and who and last == 0 else []
    behind = as_of is None and row.board_moved_at != (board and board.moment)
    renamed = service.last_renamed_at(session)
    headers = {
        "ETag": etag(row.id, row.max_time_ratio, board and board.id, behind, limit, last, own, renamed),
        "Cache-Control": "no-cache",
        "Vary": "Authorization, Cookie",
    }
    if matches(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    items = b"[]"
    if board is not None:
        read = partial(service.read_page, session, board, after=last, limit=limit)
        items = state.pages.find((board.id, renamed, last, limit), read)
    total = board.total if board else 0
    more = board is not None and last + limit < total
    page = page_of(
        competition=slug,
        phase=phase,
        metric=board.metric if board else row.metric,
        max_time_ratio=row.max_time_ratio,
        retraining_s=board and board.retraining_s,
        retraining_cost=board and board.retraining_cost,
        as_of=board and board.moment,
        behind=behind,
        total=total,
        items=items,
        own=service.read_own(session, board, own) if board else [],
        next=keys.encode(state.cursors, listing, board.moment, last + limit) if board and more else None,
    )
    return Response(page, media_type="application/json", headers=headers)


@router.get("/competitions/{slug}/phases/{phase}/leaderboard.csv", responses=CSV)
def export_leaderboard(
    *,
    slug: Text,
    phase: Text,
    who: Anyone,
    session: Reading,
    state: State,
    limit: Annotated[int, Query(ge=1, le=MOST_EXPORTED, description="Maximum number of rows.")] = MOST_EXPORTED,
    after: After = None,
    as_of: Annotated[Moment | None, Query(description="The leaderboard as of this time; default: now.")] = None,
) -> Response:
    """Download the leaderboard as CSV, with the secondary columns that the phase chose.

    If there are more rows, the header `Link` names the next part of it.
    """
    row = find_phase(session, slug, phase, who=who)
    service.require_board(who, row)
    listing = f"leaderboard.csv:{row.id}:{as_of}"
    moment, last = keys.decode(state.cursors, listing, after) if after else (as_of, 0)
    board = service.as_of(session, state.database, row, moment)
    items = service.read_page(session, board, after=last, limit=limit) if board else []
    headers = {
        "Content-Disposition": f'attachment; filename="{row.competition.slug}-{row.slug}.csv"',
        "Vary": "Authorization, Cookie",
    }
    if board is not None and last + limit < board.total:
        query = {"after": keys.encode(state.cursors, listing, board.moment, last + limit), "limit": limit}
        headers["Link"] = f'<?{urlencode(query | ({"as_of": as_of.isoformat()} if as_of else {}))}>; rel="next"'
    return Response(
        table(items, row.columns, with_head=last == 0), media_type="text/csv; charset=utf-8", headers=headers
    )


@router.get("/competitions/{slug}/phases/{phase}/badges/{team}.svg", dependencies=[PUBLIC], responses=SVG)
def draw_badge(*, slug: Text, phase: Text, team: Text, session: Reading) -> Response:
    """Draw the rank of a team, to embed in a page elsewhere."""
    row = find_phase(session, slug, phase)
    if is_sealed(row):
        words = "sealed"
    else:
        rank = rank_of(session, standings.newest(session, row), row, team)
        words = "no rank" if rank is None else f"rank {rank}"
    return Response(badge(slug, words), media_type="image/svg+xml", headers=EMBEDDED)


@router.get("/competitions/{slug}/phases/{phase}/board.svg", dependencies=[PUBLIC], responses=SVG)
def draw_first_rows(
    *,
    slug: Text,
    phase: Text,
    session: Reading,
    rows: Annotated[int, Query(ge=1, le=MOST_DRAWN, description="Maximum number of rows.")] = 10,
) -> Response:
    """Draw the first rows of the leaderboard, to embed in a page elsewhere."""
    row = find_phase(session, slug, phase)
    title = f"{row.competition.title}: {row.title or row.slug}"
    if is_sealed(row):
        return Response(picture(title, [], "sealed"), media_type="image/svg+xml", headers=EMBEDDED)
    board = standings.newest(session, row)
    items = service.read_page(session, board, after=0, limit=rows) if board else []
    told = f"{board.total if board else 0} entries"
    return Response(picture(title, items, told), media_type="image/svg+xml", headers=EMBEDDED)


@router.get("/competitions/{slug}/phases/{phase}/alarms")
def list_alarms(
    *, slug: Text, phase: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[AlarmedOut]:
    """List submissions with alarms, which their organiser should check, newest first. An alarm changes no score."""
    row = find_phase(session, slug, phase, who=who)
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

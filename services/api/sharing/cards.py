"""The cards of competitions and leaderboards, and which card a page has.

A card is made as for a stranger, whoever asks, so a draft has none, and that of a sealed board names no entry.
"""

import re
from uuid import UUID

from sqlalchemy import select

from services.api.competitions.finding import find_phase, owners_of, phases_of
from services.api.kit.finding import find_competition
from services.api.leaderboard import service as boards
from services.api.leaderboard.schemas import Entry
from services.api.sharing.card import Card
from services.api.sharing.people_cards import shared_card, team_card
from services.core.board import standings
from services.core.errors import NotFound
from services.core.finals.sealed import is_sealed
from services.core.models import Competition, LeaderboardEntry, Phase, Reference, StandingRow, Standings, Team
from services.core.store.database import ReadSession, utc_now

__all__ = ["board_card", "card_of_path", "competition_card", "find_entry"]

SHOWN = 5  # entries on the picture of a board
DESCRIPTION_CHARS = 200
SLUG = re.compile(r"[a-z0-9-]{1,63}")
PAGE = re.compile(rf"competitions/(?P<slug>{SLUG.pattern})(?P<part>/leaderboard)?(?:/[^/]+)*/?")
TEAM = re.compile(r"teams/([a-z0-9-]{1,39})/?")
SHARED = re.compile(r"shared/([0-9a-f-]{36})/?")
MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|\*\*|__|[*`#>]")


def card_of_path(session: ReadSession, path: str, phase: str | None) -> Card | None:
    """Find the card of a page of the web app, `phase` being what its address says of one; None if it has none."""
    try:
        if found := TEAM.fullmatch(path):
            return team_card(session, found[1])
        if found := SHARED.fullmatch(path):
            return shared_card(session, UUID(found[1]))
        found = PAGE.fullmatch(path)
        if found is None or (phase and not SLUG.fullmatch(phase)):
            return None
        if found["part"]:
            return board_card(session, found["slug"], phase)
        return competition_card(session, found["slug"])
    except (NotFound, ValueError):
        return None


def competition_card(session: ReadSession, slug: str) -> Card:
    """Describe a competition. Raises NotFound if strangers do not see it."""
    competition = find_competition(session, slug)
    return _card(session, competition, _first_words(competition.description) or _what(competition))


def board_card(session: ReadSession, slug: str, phase: str | None = None) -> Card:
    """Describe the leaderboard of a phase, by default of the one that opened last. Raises NotFound."""
    competition = find_competition(session, slug)
    found = find_phase(session, slug, phase) if phase else _last_opened(session, competition)
    if found is None:
        return competition_card(session, slug)
    title = f"Leaderboard of {competition.title}, {found.title or found.slug}"
    at = f"/api/competitions/{slug}/phases/{found.slug}/preview.png"
    page = f"/competitions/{slug}/leaderboard?phase={found.slug}"
    if is_sealed(found):
        words = "This leaderboard is sealed until its organiser publishes the final."
        return _card(session, competition, words, title=title, page=page, picture=at)
    board = standings.newest(session, found)
    entries = tuple(boards.read_page(session, board, after=0, limit=SHOWN)) if board else ()
    words = _of_board(board.total if board else 0, entries)
    return _card(session, competition, words, title=title, page=page, picture=at, entries=entries)


def find_entry(session: ReadSession, phase: Phase, team: str) -> Entry:
    """Find what a public board says of a team. Raises NotFound, for a sealed board, too."""
    board = None if is_sealed(phase) else standings.newest(session, phase)
    own = boards.read_own(session, board, _entry_ids(session, board, team)) if board else []
    if not own:
        raise NotFound(f"The leaderboard of {phase.slug!r} shows no entry of a team {team!r}.")
    return own[0]


def _entry_ids(session: ReadSession, board: Standings, team: str) -> list[UUID]:
    statement = (
        select(StandingRow.entry_id)
        .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
        .join(Team, Team.id == LeaderboardEntry.team_id)
        .where(
            StandingRow.standings_id == board.id,
            LeaderboardEntry.phase_id == board.phase_id,
            LeaderboardEntry.reference == Reference.NONE,
            Team.name == team,
        )
    )
    return list(session.scalars(statement))


def _card(
    session: ReadSession,
    competition: Competition,
    description: str,
    *,
    title: str = "",
    page: str = "",
    picture: str = "",
    entries: tuple[Entry, ...] = (),
) -> Card:
    owner = owners_of(session, [competition])[0]
    return Card(
        title=title or competition.title,
        description=description,
        author=owner,
        below=f"Organised by {owner}",
        created_at=competition.created_at,
        page=page or f"/competitions/{competition.slug}",
        picture=picture or f"/api/competitions/{competition.slug}/preview.png",
        citation=f"/api/competitions/{competition.slug}/citation.bib",
        entries=entries,
    )


def _last_opened(session: ReadSession, competition: Competition) -> Phase | None:
    opened = [one for one in phases_of(session, [competition])[competition.id] if one.opens_at <= utc_now()]
    return opened[-1] if opened else None


def _of_board(total: int, entries: tuple[Entry, ...]) -> str:
    best = next((one for one in entries if one["rank"] is not None), None)
    if best is None:
        return "No entry is ranked yet."
    low, high, score = best["ci_low"], best["ci_high"], best["final_score"]
    return f"{total} entries. First: {best['entry']} with {score:.4f} (95% interval {low:.4f} to {high:.4f})."


def _first_words(markdown: str) -> str:
    """Take the first paragraph of a text in Markdown that is no heading, as plain words."""
    paragraphs = (part.strip() for part in markdown.split("\n\n"))
    first = next((part for part in paragraphs if part and not part.startswith("#")), "")
    plain = " ".join(MARKS.sub(lambda found: found[1] or "", first).split())
    return plain if len(plain) <= DESCRIPTION_CHARS else plain[: DESCRIPTION_CHARS - 1].rstrip() + "…"


def _what(competition: Competition) -> str:
    return f"{competition.title}: a competition in machine unlearning."

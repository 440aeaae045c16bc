"""The cards of a team and of a shared submission: what anybody may be told of them, and never more."""

from uuid import UUID

from services.api.sharing.card import Card
from services.api.sharing.shared import SharedOut, find_shared, show_shared
from services.api.teams.leading import find_team
from services.api.teams.listing import page_of
from services.api.teams.schemas import TeamEntryOut, TeamPage
from services.core.store.database import ReadSession

__all__ = ["shared_card", "team_card"]


def team_card(session: ReadSession, name: str) -> Card:
    """Describe a team, as a stranger sees it. Raises NotFound."""
    team = find_team(session, name)
    page = page_of(session, None, team)
    words = _of_team(page)
    return Card(
        title=page.name,
        description=words,
        author=page.name,
        created_at=team.created_at,
        page=f"/teams/{team.id}",
        picture=f"/api/teams/{team.id}/preview.png",
        below=words,
    )


def shared_card(session: ReadSession, submission_id: UUID) -> Card:
    """Describe a shared submission. Raises NotFound."""
    shown = show_shared(session, find_shared(session, submission_id))
    words = _of_shared(shown)
    return Card(
        title=f"{shown.name} by {shown.team}",
        description=words,
        author=shown.team,
        created_at=shown.submitted_at,
        page=f"/shared/{shown.id}",
        picture=f"/api/shared/{shown.id}/preview.png",
        citation=f"/api/shared/{shown.id}/citation.bib",
        below=words,
    )


def _of_team(page: TeamPage) -> str:
    kind = f"A team of {page.title}" if page.title else "One person's own team"
    ranked = [one for one in page.entries if one.rank is not None]
    if not ranked:
        return f"{kind}."
    best = min(ranked, key=_rank)
    where = "" if page.competition else f" of {best.competition}"
    return f"{kind}. Best place: rank {best.rank} on the leaderboard {best.phase}{where}."


def _rank(entry: TeamEntryOut) -> int:
    return entry.rank or 0


def _of_shared(shown: SharedOut) -> str:
    score = shown.standing.final_score
    interval = f"{score:.4f} (95% interval {shown.ci_low:.4f} to {shown.ci_high:.4f}, N = {shown.seeds})"
    return f"{shown.title}, {shown.phase_title or shown.phase}: {interval}. {shown.standing.sentence}"

"""A leaderboard outside Lethe: as a table, and the rank of a team as a picture."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from html import escape

from sqlalchemy import select

from services.api.leaderboard.schemas import Entry
from services.core.catalogue import chosen_columns
from services.core.models import LeaderboardEntry, Phase, Reference, StandingRow, Standings, Team
from services.core.store.database import ReadSession

__all__ = ["COLUMNS", "badge", "cell", "picture", "rank_of", "table"]

COLUMNS = (
    "rank",
    "rank_best",
    "rank_worst",
    "tie_group",
    "unranked_reason",
    "entry",
    "submission",
    "submission_id",
    "reference",
    "metric",
    "final_score",
    "ci_low",
    "ci_high",
    "forgetting_quality",
    "utility",
    "seeds",
    "effective_models",
    "run_s",
    "time_ratio",
    "time_ratio_low",
    "time_ratio_high",
    "submitted_at",
)
RISKY = ("=", "+", "-", "@", "\t")  # a spreadsheet takes what begins so for a formula
CHARACTER_PX, HEIGHT_PX, PADDING_PX = 7, 20, 6
BOARD_PX, ROW_PX, PLACES_PX = 480, 24, (34, 44, 350, 470)  # where rank ends, team begins, score and interval end


def table(entries: Iterable[Entry], chosen: Iterable[str], *, with_head: bool) -> str:
    """Write entries as CSV (RFC 4180), with the secondary columns that their phase chose."""
    secondary = chosen_columns(chosen)
    out = io.StringIO()
    writer = csv.writer(out)
    if with_head:
        writer.writerow([*COLUMNS, *(one.key for one in secondary)])
    for entry in entries:
        values = [*(entry[name] for name in COLUMNS), *(one.value(entry["suites"]) for one in secondary)]
        writer.writerow([cell(value) for value in values])
    return out.getvalue()


def rank_of(session: ReadSession, board: Standings | None, phase: Phase, team: str) -> int | None:
    """Find the rank of a team on a computed leaderboard; None if it has none."""
    if board is None:
        return None
    return session.scalar(
        select(StandingRow.rank)
        .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
        .join(Team, Team.id == LeaderboardEntry.team_id)
        .where(
            StandingRow.standings_id == board.id,
            LeaderboardEntry.phase_id == phase.id,
            LeaderboardEntry.reference == Reference.NONE,
            Team.name == team,
        )
    )


def badge(label: str, words: str) -> str:
    """Draw two words side by side, as SVG."""
    left, right = (len(part) * CHARACTER_PX + 2 * PADDING_PX for part in (label, words))
    label, words = escape(label), escape(words)
    style = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#fff" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT_PX}" role="img" '
        f'aria-label="{label}: {words}"><title>{label}: {words}</title>'
        f'<rect width="{left}" height="{HEIGHT_PX}" fill="#4b5d65"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT_PX}" fill="#0a616d"/>'
        f'<g {style}><text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{words}</text></g>'
        "</svg>\n"
    )


def picture(title: str, entries: Iterable[Entry], told: str) -> str:
    """Draw rows of a leaderboard below a title, as SVG: rank, team, score and its 95% interval."""
    rows = list(entries)
    height = ROW_PX * (len(rows) + 2) + PADDING_PX
    lines = [_row(place, entry) for place, entry in enumerate(rows, start=1)]
    style = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="12" fill="#22303a"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{BOARD_PX}" height="{height}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f'<rect width="{BOARD_PX}" height="{height}" fill="#fff" stroke="#4b5d65"/><g {style}>'
        f'<text x="{PADDING_PX}" y="17" font-weight="bold">{escape(title)}</text>{"".join(lines)}'
        f'<text x="{PADDING_PX}" y="{height - PADDING_PX}" font-size="10">{escape(told)}</text></g></svg>\n'
    )


def _row(place: int, entry: Entry) -> str:
    y, (rank, team, score, interval) = 17 + ROW_PX * place, PLACES_PX
    named = escape(str(entry["entry"])) if entry["reference"] == Reference.NONE else escape(f"({entry['submission']})")
    return (
        f'<text x="{rank}" y="{y}" text-anchor="end">{entry["rank"] or "–"}</text>'
        f'<text x="{team}" y="{y}">{named}</text>'
        f'<text x="{score}" y="{y}" text-anchor="end">{entry["final_score"]:.4f}</text>'
        f'<text x="{interval}" y="{y}" text-anchor="end">{entry["ci_low"]:.4f} to {entry["ci_high"]:.4f}</text>'
    )


def cell(value: object) -> object:
    """Return what stands in a cell of a table: nothing of it is a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(RISKY):
        return f"'{value}"
    return "" if value is None else value

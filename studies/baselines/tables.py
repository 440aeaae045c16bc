"""From results to Markdown. The functions are pure, and a reader sees every value of a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from studies.baselines.published import Paper, Published

__all__ = ["BoardRow", "ScenarioRow", "Spread", "board_table", "failures", "published_table", "scenario_table"]

NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """The result of one entry on one benchmark; if it failed, its numbers are missing."""

    entry: str
    reference: bool = False
    rank: int | None = None
    unranked: str | None = None
    tie_group: int | None = None
    forgetting_quality: float = 0.0  # F of neurips-2023
    relative_quality: float | None = None  # that of lethe-1, over the ceiling
    bound: float | None = None  # the largest sound lower bound of any example's epsilon
    largest_bound: float | None = None  # that so many models could prove
    utility: float = 0.0
    final_score: float = 0.0
    low: float = 0.0
    high: float = 0.0
    models: int = 0  # distinct ones
    run_s: float = 0.0
    time_ratio: float | None = None
    failure: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation over runs; a single model has no deviation."""

    mean: float
    deviation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRow:
    """One method in the form of the SSD paper: shares from 0 to 1, and seconds a run."""

    entry: str
    test_retained: Spread | None = None  # D_r
    test_forgotten: Spread | None = None  # D_f of a class or subclass; None if examples are forgotten at random
    retain: Spread | None = None
    forget: Spread | None = None
    mia: Spread | None = None
    zrf: Spread | None = None
    run_s: float | None = None
    failure: str | None = None
    message: str = ""


def board_table(rows: Sequence[BoardRow]) -> str:
    """Write a leaderboard, in the order given."""
    head = (
        "rank",
        "tie",
        "entry",
        "F",
        "F / ceiling",
        "epsilon ≥",
        "utility",
        "final score",
        "95% interval",
        "models",
        "s a run",
        "of retraining",
    )
    return _table(head, (_board_cells(row) for row in rows))


def failures(rows: Iterable[BoardRow | ScenarioRow]) -> str:
    """List the failed entries with the reason; empty if none failed."""
    lines = [f"- `{row.entry}`: {row.failure}: {_one_line(row.message)}" for row in rows if row.failure]
    return "\n".join(lines)


def published_table(names: Iterable[str], published: Iterable[Published]) -> str:
    """Write the published numbers of these entries, or that none are known."""
    by_entry: dict[str, list[Published]] = {}
    for one in published:
        by_entry.setdefault(one.entry, []).append(one)
    rows = [
        (f"`{name}`", one.value, one.where, one.differs)
        for name in names
        for one in by_entry.get(name, [Published(name, NOTHING, NOTHING, "no published F")])
    ]
    return _table(("entry", "published", "where", "what differs"), rows)


def scenario_table(rows: Sequence[ScenarioRow], paper: Paper) -> str:
    """Write a table in the form of the SSD paper, its own numbers in the last column."""
    head = (
        "method",
        "D_r, %",
        "D_f, %",
        "retain set, %",
        "forget set, %",
        "MIA, %",
        "ZRF",
        "s a run",
        f"{paper.setting}: D_r / D_f / MIA, s",
    )
    return _table(head, (_scenario_cells(row, paper) for row in rows))


def _board_cells(row: BoardRow) -> tuple[str, ...]:
    name = f"`{row.entry}`" + (" (reference)" if row.reference else "")
    if row.failure:
        return (NOTHING, NOTHING, name, f"failed: {row.failure}", *[""] * 8)
    return (
        NOTHING if row.rank is None else str(row.rank),
        NOTHING if row.tie_group is None else str(row.tie_group),
        name + (" (too slow)" if row.unranked == "too_slow" else ""),
        f"{row.forgetting_quality:.4f}",
        _number(row.relative_quality, 3),
        _number(row.bound, 2),
        f"{row.utility:.3f}",
        f"{row.final_score:.4f}",
        f"{row.low:.4f} to {row.high:.4f}",
        str(row.models),
        f"{row.run_s:.3f}",
        NOTHING if row.time_ratio is None else f"{100 * row.time_ratio:.0f}%",
    )


def _scenario_cells(row: ScenarioRow, paper: Paper) -> tuple[str, ...]:
    theirs = paper.values.get(row.entry, NOTHING)
    if row.failure:
        return (f"`{row.entry}`", f"failed: {row.failure}", *[""] * 6, theirs)
    return (
        f"`{row.entry}`",
        _percent(row.test_retained),
        _percent(row.forget if row.test_forgotten is None else row.test_forgotten),
        _percent(row.retain),
        _percent(row.forget),
        _percent(row.mia),
        _spread(row.zrf, 3),
        _number(row.run_s, 3),
        theirs,
    )


def _percent(value: Spread | None) -> str:
    scaled = value and Spread(100 * value.mean, None if value.deviation is None else 100 * value.deviation)
    return _spread(scaled, 1)


def _spread(value: Spread | None, digits: int) -> str:
    if value is None:
        return NOTHING
    return _number(value.mean, digits) + ("" if value.deviation is None else f" ± {value.deviation:.{digits}f}")


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _one_line(text: str, longest: int = 200) -> str:
    words = " ".join(text.split())
    return words if len(words) <= longest else f"{words[:longest]}…"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

"""How the CLI talks: results on standard output, everything else on standard error.

People choose names, so nothing that is printed here is read as markup.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from services.cli.moments import moment
from services.core.catalogue import FLAGS, SUITES, chosen_columns, find_column
from services.core.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = [
    "leaderboard_table",
    "milestone",
    "print_estimates",
    "print_json",
    "print_listed",
    "print_marks",
    "print_noise",
    "print_suite",
    "print_table",
    "progress",
    "require_place",
    "say",
]

ESTIMATES = {
    "forgetting_quality": "forgetting_quality",
    "utility": "utility",
    "final_score": "ci",
    "ceiling": "ceiling",
}
UNRANKED = {  # the reasons that are not rows for comparison
    "too_slow": "too slow to be ranked",
    "too_few_models": "too few distinct models",
    "forget_set_pinned": "forget set pinned",
}
WIDEST = 10_000  # columns of the longest line that is printed, far beyond any table
CERTIFICATE_COLUMNS = ("epsilon", "accountant_epsilon", "audited_epsilon")
CERTIFICATE_HEADINGS = ("claimed ε", "accountant's", "proven ≥")


def say(message: str) -> None:
    """Tell the user what is happening. A line is folded only for a terminal; elsewhere a path stays in one piece."""
    _notes().print(message, soft_wrap=not _notes().is_terminal)


def print_json(value: Any) -> None:
    """Print a result for a program to read."""
    json.dump(value, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def milestone(message: str) -> None:
    """Write a line of progress if bars cannot be shown."""
    if not _notes().is_terminal:
        say(message)


@contextmanager
def progress() -> "Iterator[Progress]":
    """Show bars while long work goes on; if standard error is not a terminal, `milestone` writes lines instead."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    notes = _notes()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes, refresh_per_second=4, disable=not notes.is_terminal) as bars:
        yield bars


def require_place(path: Path | None) -> None:
    """Refuse, before any work is done, a file that could not be written in the end. Raises BadInput."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise BadInput(
            f"{path} cannot be written: {'it is' if path.is_dir() else 'it is not in'} a directory. Name another file."
        )


def print_estimates(score: dict[str, Any]) -> None:
    """Print the estimates of a score's JSON form with their intervals; those that it lacks are left out."""
    for name, interval in ESTIMATES.items():
        if score.get(name) is not None:
            value, low, high = (score[key] for key in (name, f"{interval}_low", f"{interval}_high"))
            typer.echo(f"{name.replace('_', ' '):<20}{value:.4f}   95% {low:.4f} to {high:.4f}")


def print_noise(score: dict[str, Any]) -> None:
    """Print the whole interval of a score's JSON form, and where its noise comes from; nothing if it lacks them."""
    from services.core.board.noise import noise_in_words
    from services.core.models.stored import VarianceForm

    if score.get("generalisation_low") is not None:
        low, high = score["generalisation_low"], score["generalisation_high"]
        typer.echo(f"{'  everything drawn anew':<20}  95% {low:.4f} to {high:.4f}")
    if score.get("variance"):
        for sentence in noise_in_words(VarianceForm.model_validate(score["variance"]), models=score["seeds"]):
            typer.echo(sentence)


def print_suite(suites: dict[str, dict[str, float | None]], suite: str) -> None:
    """Print one suite of secondary columns with titles and units; nothing if a score lacks it."""
    if suite not in suites:
        return
    typer.echo(SUITES[suite].title if suite in SUITES else suite)
    for name, value in suites[suite].items():
        if value is not None:
            column = find_column(suite, name)
            title, unit = (column.title, column.unit) if column else (name, "")
            typer.echo(f"  {title:<28}{value:.4g} {unit}".rstrip())


def print_marks(flags: list[str], alarms: list[dict[str, str]]) -> None:
    """Print a score's flags and alarms, and what each flag means."""
    for flag in flags:
        meaning = FLAGS[flag].meaning if flag in FLAGS else ""
        typer.echo(f"{'flag':<20}{flag}: {meaning}" if meaning else f"{'flag':<20}{flag}")
    for alarm in alarms:
        typer.echo(f"{'alarm':<20}{alarm['kind']}: {alarm['message']}")


def leaderboard_table(entries: list[dict[str, Any]], title: str, columns: Sequence[str] = ()) -> None:
    """Print a leaderboard, with the secondary columns of its phase, and those of certificates if an entry claims one.

    A column is named by its suite, a dot and its name.
    """
    secondary = chosen_columns(columns)
    certified = any(entry.get("certificate") for entry in entries)
    headings = ("rank", "tie", "entry", "F", "utility", "final score", "95% interval", "N", "s/run", "of retraining")
    print_table(
        (*headings, *(one.title for one in secondary), *(CERTIFICATE_HEADINGS if certified else ())),
        [
            [
                *_row(entry),
                *(_number(one.value(entry["suites"])) for one in secondary),
                *(_certificate(entry["certificate"]) if certified else []),
            ]
            for entry in entries
        ],
        title=title,
        words={"entry"},
    )


def print_table(
    headings: Iterable[str],
    rows: Iterable[Iterable[str]],
    *,
    title: str,
    words: Iterable[str],
) -> None:
    """Print a table with numbers to the right, and the columns called `words` to the left.

    Nothing in it is cut: lines are as long as they need to be, and a narrow terminal folds them itself.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for heading in headings:
        table.add_column(heading, justify="left" if heading in words else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False, width=WIDEST)
    if title:
        console.print(title, soft_wrap=True)
    console.print(table)


def print_listed(
    found: list[dict[str, Any]], names: Iterable[str], title: str, as_json: bool, *, numbers: Iterable[str] = ()
) -> None:
    """Print some fields of what the API lists as a table, headed by their names in words; or all of it as JSON."""
    if as_json:
        print_json(found)
        return
    headings = {name: name.removesuffix("_at").replace("_", " ") for name in names}
    rows = [[_cell(name, one[name]) for name in headings] for one in found]
    if rows:
        print_table(
            headings.values(), rows, title=title, words={headings[name] for name in set(headings) - set(numbers)}
        )
    else:
        typer.echo(f"{title}: none.")


def _cell(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return moment(value) if name.endswith("_at") or name == "since" else str(value)


@cache
def _notes() -> "Console":
    """Return standard error; its library is loaded only if something is written."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def _certificate(found: dict[str, Any] | None) -> list[str]:
    numbers = [None] * 3 if found is None else [found[name] for name in CERTIFICATE_COLUMNS]
    return ["" if number is None else f"{number:.3g}" for number in numbers]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _row(entry: dict[str, Any]) -> list[str]:
    ratio = entry.get("time_ratio")
    rank = "–" if entry["rank"] is None else str(entry["rank"])
    is_reference = entry["reference"] != "none"
    name = f"{entry['entry']}: {entry['submission']} (reference)" if is_reference else entry["entry"]
    if not is_reference and (reason := entry.get("unranked_reason")):
        name += f" ({UNRANKED[reason]})"
    draws = f" (best of {entry['draws']})" if entry.get("draws", 1) > 1 else ""
    return [
        rank,
        str(entry["tie_group"] or ""),
        f"{name}{draws}",
        f"{entry['forgetting_quality']:.4f}",
        f"{entry['utility']:.3f}",
        f"{entry['final_score']:.4f}",
        f"{entry['ci_low']:.4f} – {entry['ci_high']:.4f}",
        str(entry["seeds"]),
        f"{entry['run_s']:.3f}",
        "" if ratio is None else f"{100 * ratio:.0f}%",
    ]

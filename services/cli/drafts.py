"""Metrics that a participant drafts in a file, shown beside the board's. They run on this machine only.

The file is the reader's own code, and it runs here as the reader. Nothing but the command can import this module, so no
server ever runs a draft.
"""

import importlib.util
import math
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import print_table
from services.core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.scorer.metrics import Evidence

__all__ = ["BadDraft", "Draft", "MetricFiles", "beside_the_board", "load_drafts", "print_beside"]

ENTRY_POINT = "metric"

MetricFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--metric-file",
        help="Also compute your own metric: a .py file that defines metric(evidence). May be given several times.",
    ),
]


class BadDraft(BadInput):
    code = "bad_draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """A metric of one's own."""

    name: str
    compute: "Callable[[Evidence], Any]"

    def values(self, evidence: "Evidence") -> dict[str, float]:
        """Compute it: its number by the file's name, or each number by its own. Raises BadDraft."""
        try:
            found = self.compute(evidence)
        except Exception as error:
            raise BadDraft(f"{self.name}.py raised {_told(error)}") from error
        numbers = found if isinstance(found, Mapping) else {"": found}
        return {f"{self.name}: {key}" if key else self.name: self._number(key, one) for key, one in numbers.items()}

    def _number(self, key: object, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise BadDraft(
                f"{self.name}.py returned {value!r}{f' for {key!r}' if key else ''}. Return a finite number, or a dict "
                "of names and finite numbers."
            )
        return number


def load_drafts(files: Sequence[Path] | None) -> list[Draft]:
    """Load metric files. Raises BadDraft for the first that defines no metric."""
    return [_load(file) for file in files or ()]


def beside_the_board(drafts: Sequence[Draft], evidence: "Evidence") -> list[dict[str, Any]]:
    """Compute the board's metrics and drafts, each also of a second oracle, which is as good as retraining gets.

    Raises BadDraft.
    """
    second = evidence.second_oracle
    retrained = None if second is None else evidence.of(second)
    own = _values(drafts, evidence)
    best = {} if retrained is None else _board(retrained) | _values(drafts, retrained)
    return [
        {"metric": name, "own": name in own, "value": value, "retrained": best.get(name)}
        for name, value in (_board(evidence) | own).items()
    ]


def print_beside(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the board's metrics and drafts in one table."""
    print_table(
        ("metric", "", "value", "of retraining"),
        [
            [row["metric"], "yours" if row["own"] else "the board's", _text(row["value"]), _text(row["retrained"])]
            for row in rows
        ],
        title="Your metrics beside the board's",
        words={"metric", ""},
    )


def _values(drafts: Sequence[Draft], evidence: "Evidence") -> dict[str, float]:
    return {name: value for draft in drafts for name, value in draft.values(evidence).items()}


def _board(evidence: "Evidence") -> dict[str, float]:
    """Score by every metric that can score the measurements."""
    from services.core.catalogue import METRICS as CATALOGUE
    from services.scorer.metrics import METRICS, BadArray

    found = {}
    for name in CATALOGUE:
        try:
            found[name] = METRICS[name](evidence).final_score.value
        except BadArray:
            continue
    return found


def _load(file: Path) -> Draft:
    if not file.is_file():
        raise BadDraft(f"There is no file {file}.")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise BadDraft(f"{file} is not a Python module. Name a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)  # for dataclasses, which look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadDraft(f"{file.name} raised {_told(error)}") from error
    compute = getattr(module, ENTRY_POINT, None)
    if not callable(compute):
        raise BadDraft(f"{file} defines no function {ENTRY_POINT}(evidence). The participant's guide has an example.")
    return Draft(file.stem, compute)


def _told(error: Exception) -> str:
    """Say what was raised, and in which line of which file."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"

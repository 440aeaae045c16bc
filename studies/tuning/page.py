"""The page docs/baselines-tuned.md, words and numbers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau

from services.core.bundle.manifest import Manifest
from studies.certified_figures.picture import table
from studies.tuning.draws import REPORTING, TUNING
from studies.tuning.measuring import Mean, Result, mean_of
from studies.tuning.methods import DEFAULT, FACTORS, KNOBS

__all__ = ["Row", "Tried", "write_page"]

NOTHING = "–"
HEAD = (
    "method",
    "setting",
    "final score, `lethe-2`",
    "retraining of as many steps",
    "forgetting",
    "utility",
    "final score, `neurips-2023`",
    "shift",
    "spread",
    "steps",
    "s a run",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One entry on all reporting draws."""

    name: str
    setting: str
    steps: int
    results: Sequence[Result]
    reference: bool = False

    @property
    def score(self) -> Mean:
        return mean_of([result.score for result in self.results])

    @property
    def published(self) -> Mean:
        return mean_of([result.published for result in self.results])


@dataclass(frozen=True, slots=True)
class Tried:
    """The tuning of one method: its results on the tuning draws by factor, and the factor that was chosen."""

    name: str
    results: Mapping[float, Sequence[Result]]
    chosen: float


def write_page(
    manifest: Manifest, runs: int, references: Sequence[Row], rows: Sequence[Row], tried: list[Tried]
) -> str:
    """Write the whole page. `rows` hold a method at its defaults, and another row if tuning chose another setting."""
    known = {one.name: one.chosen for one in tried}
    final = [row for row in rows if (row.setting == "default") == (known[row.name] == DEFAULT)]
    agreement = kendalltau([row.score.value for row in final], [row.published.value for row in final]).statistic
    ordered = sorted(rows, key=lambda row: (-max(one.score.value for one in final if one.name == row.name), row.name))
    lines = [
        *_head(manifest, runs),
        "## At defaults and tuned",
        "",
        table(HEAD, [_cells(row, references) for row in (*references, *ordered)]),
        "",
        _who_pays(final, references),
        "",
        f"Kendall's tau between the orders of the two metrics, {len(final)} methods as tuned: {agreement:.2f}.",
        "",
        "## What tuning tried",
        "",
        f"The final score of `lethe-2`, mean over {len(TUNING)} draws, by factor. The chosen one is bold.",
        "",
        table(("method", "constant", *(f"× {factor:g}" for factor in FACTORS)), [_tried(one) for one in tried]),
        "",
    ]
    return "\n".join(lines)


def _head(manifest: Manifest, runs: int) -> Iterator[str]:
    yield "# Baselines, tuned"
    yield ""
    yield "Is a method bad, or are its constants? `python -m studies.tuning` made this page; run it again rather than"
    yield "edit it."
    yield ""
    yield (
        f"- **Benchmark**: draws of `{manifest.name.removesuffix('-' + REPORTING[0])}`, each with a split, a forget "
        f"set and originals of its own: {len(TUNING)} for tuning, {len(REPORTING)} others for reporting. "
        f"{manifest.counts.forget} examples to forget, {manifest.originals} originals, {runs} runs of each entry."
    )
    yield (
        f"- **Budget**: every method gets {len(FACTORS)} settings of one constant, the file's own value times "
        f"{', '.join(f'{factor:g}' for factor in FACTORS)}. The best mean final score of `lethe-2` over the tuning "
        "draws is reported. Rates that belong together move together."
    )
    yield (
        "- **±** is half of the 95% interval (Student) of the mean over the reporting draws. It says how far the score "
        "would move on other draws, so it is wider than an interval of runs."
    )
    yield (
        "- **retraining of as many steps** is what retraining from scratch gets by `lethe-2` if it stops after as many "
        "steps of the optimizer, by linear interpolation between the reference rows. A method that stays below it does "
        "not pay. Methods without an optimizer have no steps to compare."
    )
    yield (
        "- **shift**: the median distance of forget confidences to those of retrained models, in their standard "
        "deviations. **spread**: how much the runs differ, over retrained models; 1 is right."
    )
    yield (
        "- Utility is clipped at 1. Seconds are the median over draws of a run's time on one thread, and depend on the "
        "machine."
    )
    yield ""


def _cells(row: Row, references: Sequence[Row]) -> tuple[str, ...]:
    name = row.name if row.reference else f"`{row.name}`"
    failed = sorted({result.failure for result in row.results if result.failure is not None})
    setting = row.setting + (f"; failed: {', '.join(failed)}" if failed else "")
    return (
        name,
        setting,
        _mean(row.score, 3),
        NOTHING if row.reference or (beside := _retraining_of(row, references)) is None else f"{beside:.3f}",
        _mean(mean_of([result.forgetting for result in row.results]), 3),
        _mean(mean_of([result.utility for result in row.results]), 3),
        _mean(row.published, 4),
        _known([result.shift for result in row.results], 1),
        _known([result.spread for result in row.results], 2),
        str(row.steps) if row.steps else NOTHING,
        _known([result.run_s for result in row.results], 2, np.median),
    )


def _who_pays(final: Sequence[Row], references: Sequence[Row]) -> str:
    compared = {row.name: row.score.value - beside for row in final if (beside := _retraining_of(row, references))}
    pay = [f"`{name}`" for name, gain in compared.items() if gain > 0]
    return (
        f"Of {len(compared)} methods with an optimizer, {len(pay)} as tuned get more than retraining of as many steps: "
        f"{', '.join(pay) or 'none'}."
    )


def _retraining_of(row: Row, references: Sequence[Row]) -> float | None:
    """Return what retraining of as many steps gets, between the reference rows; None without an optimizer."""
    if row.steps == 0:
        return None
    known = sorted((one.steps, one.score.value) for one in references)
    return float(np.interp(row.steps, [at for at, _ in known], [score for _, score in known]))


def _tried(one: Tried) -> tuple[str, ...]:
    scores = {factor: float(np.mean([result.score for result in one.results[factor]])) for factor in FACTORS}
    shown = [f"**{score:.3f}**" if factor == one.chosen else f"{score:.3f}" for factor, score in scores.items()]
    return f"`{one.name}`", ", ".join(f"`{name}`" for name in KNOBS[one.name]), *shown


def _mean(mean: Mean, digits: int) -> str:
    return f"{mean.value:.{digits}f}" + ("" if mean.margin is None else f" ± {mean.margin:.{digits}f}")


def _known(values: Sequence[float | None], digits: int, middle: Callable[[Sequence[float]], object] = np.mean) -> str:
    known = [value for value in values if value is not None and np.isfinite(value)]
    return f"{middle(known):.{digits}f}" if known else NOTHING

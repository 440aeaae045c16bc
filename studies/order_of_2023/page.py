"""The page docs/order-of-2023.md, words and numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.core.bundle.manifest import Manifest
from services.scorer.metrics import Estimate, ScoreCard
from studies.certified_figures.picture import table
from studies.order_of_2023.comparing import LEAST, Ordered, above, correlations_beside, rank_correlation

__all__ = ["Part", "write_page"]

HEAD = ("entry", "2023", "final score", "95% interval", "F", "utility", "lethe-1", "lethe-2", "s a run")


@dataclass(frozen=True, slots=True)
class Part:
    """What one reading of the published order gave."""

    title: str
    grid: Sequence[Ordered]
    winners: Sequence[Ordered]
    ascent: Ordered


def write_page(manifest: Manifest, runs: int, parts: Sequence[Part], findings: str) -> str:
    """Write the whole page. `findings` is the part that a person wrote after reading the numbers."""
    fitness = manifest.fitness
    learned = (
        f"{fitness.oracle_retain_accuracy:.1%} of the retain set, {fitness.oracle_test_accuracy:.1%} of the test set"
    )
    lines = [
        "# The order of 2023",
        "",
        "Does Lethe find the order of entries that was published in 2023? `python -m studies.order_of_2023` made this",
        "page. [Decision 35](decisions/0035-the-order-of-2023-has-rules-first.md) fixed the rules before any entry",
        "ran.",
        "",
        f"Benchmark `{manifest.name}`: {manifest.counts.forget} examples to forget, {manifest.scenario}; "
        f"{manifest.architecture}, {manifest.originals} originals. Retrained models get {learned} right; the original "
        f"knows {fitness.original_forget_accuracy:.0%} of the forget labels. Ceiling of F: {fitness.ceiling:.3f}; "
        f"placebo ratio {fitness.placebo_ratio:.1f}. Each entry ran {runs} times. Scores are those of `neurips-2023`; "
        "`lethe-1` and `lethe-2` stand beside them.",
        "",
    ]
    for part in parts:
        lines += _part(part)
    return "\n".join([*lines, findings.strip(), ""])


def _part(part: Part) -> Iterator[str]:
    found = rank_correlation(part.grid)
    holds = "holds" if found.value >= LEAST else "does not hold"
    yield f"## {part.title}"
    yield ""
    yield f"Rank correlation of the grid with 2023: {_interval(found)}. The order {holds} (at least {LEAST} was asked)."
    beside = (f"{name} {value:.2f}" for name, value in correlations_beside(part.grid).items())
    yield f"By other numbers, to see why: {', '.join(beside)}."
    yield ""
    yield table(("fine-tuning: rate, batch, epochs in 2023", *HEAD[1:]), [_row(entry) for entry in part.grid])
    yield ""
    yield table(("method", *HEAD[1:]), [_row(entry) for entry in (*part.winners, part.ascent)])
    yield ""
    starter = part.grid[0]
    for winner in part.winners:
        yield f"- `{winner.title}` above the starter's fine-tuning: {above(winner.card, starter.card)}"
    yield f"- the starter's fine-tuning above `{part.ascent.title}`: {above(starter.card, part.ascent.card)}"
    yield ""


def _row(entry: Ordered) -> tuple[str, ...]:
    card = entry.card
    return (
        entry.title,
        "–" if entry.published is None else f"{entry.published:g}",
        f"{card.final_score.value:.4f}",
        f"{card.final_score.low:.4f} to {card.final_score.high:.4f}",
        f"{card.forgetting_quality.value:.4f}",
        f"{card.utility.value:.3f}",
        *(_beside(entry.others, name) for name in ("lethe-1", "lethe-2")),
        "–" if entry.run_s is None else f"{entry.run_s:.2f}",
    )


def _beside(cards: Sequence[ScoreCard], metric: str) -> str:
    return next((f"{card.final_score.value:.3f}" for card in cards if card.metric == metric), "–")


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"

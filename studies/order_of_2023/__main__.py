"""Compare the order of entries on faces-small with that of 2023: `python -m studies.order_of_2023`.

    python -m studies.order_of_2023                128 runs of each entry: about 5 hours of processor time
    python -m studies.order_of_2023 --runs 32      a first look
    python -m studies.order_of_2023 --grid-only    only the eight fine-tunings: about 1 hour
    python -m studies.order_of_2023 --steps        also the grid with ten times the epochs, to see why: 4 hours more

The benchmark is built on first use. Results are kept in the data directory, under `order-of-2023`, by the digest of
their source, so the command goes on where it was stopped.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from services.cli.building import find_or_build
from services.cli.console import progress, say
from services.core.bundle.manifest import require_oracle
from services.core.errors import LetheError
from services.core.settings import SandboxKind, load_settings
from services.scorer.scoring import gather, score_by_all
from studies.arguments import at_least
from studies.baselines.entries import Entry
from studies.baselines.scenarios import Store
from studies.order_of_2023.comparing import Ordered
from studies.order_of_2023.entries import (
    AS_MANY_STEPS,
    ASCENT,
    GRID,
    READINGS,
    Reading,
    ascent,
    grid,
    method,
    winners,
)
from studies.order_of_2023.page import Part, write_page

BENCHMARK, METRIC, LEAST_RUNS = "faces-small", "neurips-2023", 32
PAGE = Path(__file__).parents[2] / "docs" / "order-of-2023.md"
FINDINGS = "## What was found"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every entry that has not run, score all, and write the page."""
    options = _parser().parse_args(arguments)
    settings = load_settings().model_copy(update={"sandbox": SandboxKind.PROCESS})
    bundle = find_or_build(settings, options.benchmark)
    require_oracle(options.runs, bundle.manifest.oracle_seeds)
    store = Store(settings, settings.data_dir / "order-of-2023")
    with progress() as bars:
        task = bars.add_task(bundle.manifest.name, total=None)

        def score(title: str, published: float | None, entry: Entry) -> Ordered:
            bars.update(task, description=title)
            ran = store.run(bundle, entry, options.runs)
            if ran.measurements is None:
                raise LetheError(f"{title} failed: {ran.message}")
            cards = [report.card for report in score_by_all(METRIC, gather(ran.measurements, bundle))]
            return Ordered(title, published, cards[0], tuple(cards[1:]), ran.run_s)

        parts = [_part(score, reading, all_methods=not options.grid_only) for reading in READINGS]
        if options.steps:
            parts.append(_part(score, AS_MANY_STEPS, all_methods=False))
    options.out.write_text(write_page(bundle.manifest, options.runs, parts, _findings(options.out)), encoding="utf-8")
    say(f"Wrote {options.out}.")


def _part(score: Callable[[str, float | None, Entry], Ordered], reading: Reading, *, all_methods: bool) -> Part:
    return Part(
        reading.title,
        [score(tuning.title, tuning.published, grid(tuning, reading)) for tuning in GRID],
        [score(name, None, method(name, reading)) for name in winners()] if all_methods else [],
        score(ASCENT, None, ascent(reading)),
    )


def _findings(page: Path) -> str:
    """Keep what a person wrote below the tables."""
    written = page.read_text(encoding="utf-8").partition(FINDINGS) if page.is_file() else ("", "", "")
    return FINDINGS + (written[2] or "\n\nNobody has written this part yet.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", default=BENCHMARK, help=f"name or directory; default: {BENCHMARK}")
    parser.add_argument("--runs", type=at_least(LEAST_RUNS), default=128, help="models of each entry; default: 128")
    parser.add_argument("--grid-only", action="store_true", help="leave out the winners")
    parser.add_argument("--steps", action="store_true", help="also run the grid with ten times the epochs")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page; default: docs/order-of-2023.md")
    return parser


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"order_of_2023: {error.message}", file=sys.stderr)
        sys.exit(1)

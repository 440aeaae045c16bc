"""Compare baselines at their defaults and tuned by one budget: `python -m studies.tuning`.

    python -m studies.tuning                       on digits, 64 runs of each entry
    python -m studies.tuning --methods scrub,salun some methods
    python -m studies.tuning --benchmark NAME      on another benchmark that Lethe can draw

It builds five draws of the benchmark: two to tune on, three to report. On digits it takes about three hours of one
processor for all methods, and says how many evaluations are left before it starts. Results are kept in the data
directory, under `tuning`, by the digest of their source, so the command goes on where it was stopped.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from services.cli.building import stages_on
from services.cli.console import progress, say
from services.core.bundle.directory import Bundle
from services.core.errors import LetheError
from services.core.settings import SandboxKind, load_settings
from studies.arguments import at_least
from studies.baselines.entries import Entry
from studies.baselines.scenarios import Store
from studies.tuning.draws import REPORTING, TUNING, find_draw
from studies.tuning.measuring import Result, choose, count_steps, measure
from studies.tuning.methods import DEFAULT, FACTORS, KNOBS, references, tuned
from studies.tuning.page import Row, Tried, write_page

LEAST_RUNS = 32
PAGE = Path(__file__).parents[2] / "docs" / "baselines-tuned.md"

Measure = Callable[[Bundle, Entry], Result]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every entry that has not run, choose, and write the page."""
    options = _parser().parse_args(arguments)
    settings = load_settings().model_copy(update={"sandbox": SandboxKind.PROCESS, "worker_slots": 1})
    with progress() as bars:
        stages = stages_on(bars)
        draws = {
            draw: find_draw(settings, options.benchmark, draw, models=options.runs, stages=stages)
            for draw in (*TUNING, *REPORTING)
        }
    store = Store(settings, settings.data_dir / "tuning")
    tuning, reporting = ([draws[name] for name in names] for names in (TUNING, REPORTING))
    left = _left(store, options.methods, tuning, reporting, options.runs)
    say(f"{left} evaluations of {options.runs} runs are left. On digits each takes 5 to 60 s of one processor.")
    with progress() as bars:
        task = bars.add_task(options.benchmark, total=left)

        def run(bundle: Bundle, entry: Entry) -> Result:
            bars.update(task, description=f"{entry.name} on {bundle.manifest.name}")
            known = store.place(bundle, entry, options.runs).is_file()
            result = measure(store.run(bundle, entry, options.runs), bundle)
            bars.advance(task, 0 if known else 1)
            return result

        made = [
            Row(one.title, "reference", count_steps(one.entry, reporting[0]), _on(run, reporting, one.entry), True)
            for one in references(reporting[0].manifest)
        ]
        tried = [_tune(run, name, tuning) for name in options.methods]
        rows = [row for one in tried for row in _report(run, one, reporting)]
    options.out.write_text(write_page(reporting[0].manifest, options.runs, made, rows, tried), encoding="utf-8")
    say(f"Wrote {options.out}.")


def _tune(run: Measure, name: str, tuning: Sequence[Bundle]) -> Tried:
    results = {factor: _on(run, tuning, tuned(name, factor)) for factor in FACTORS}
    return Tried(name, results, choose(results))


def _report(run: Measure, one: Tried, reporting: Sequence[Bundle]) -> list[Row]:
    """Make the rows of a method: at its defaults, and as tuned if that is another setting."""
    return [
        Row(
            one.name,
            "default" if factor == DEFAULT else f"tuned: × {factor:g}",
            count_steps(tuned(one.name, factor), reporting[0]),
            _on(run, reporting, tuned(one.name, factor)),
        )
        for factor in dict.fromkeys((DEFAULT, one.chosen))
    ]


def _on(run: Measure, bundles: Sequence[Bundle], entry: Entry) -> list[Result]:
    return [run(bundle, entry) for bundle in bundles]


def _left(
    store: Store, methods: Sequence[str], tuning: Sequence[Bundle], reporting: Sequence[Bundle], runs: int
) -> int:
    """Count the evaluations that are not kept. Which settings will be reported is not known yet: two a method."""
    due = [(bundle, tuned(name, factor)) for name in methods for factor in FACTORS for bundle in tuning]
    due += [(bundle, one.entry) for bundle in reporting for one in references(bundle.manifest)]
    due += [(bundle, tuned(name, DEFAULT)) for name in methods for bundle in reporting]
    missing = sum(not store.place(bundle, entry, runs).is_file() for bundle, entry in due)
    return missing + len(methods) * len(reporting)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", default="digits", help="name; default: digits")
    parser.add_argument("--methods", type=_methods, default=sorted(KNOBS), help="names by commas; default: all")
    parser.add_argument("--runs", type=at_least(LEAST_RUNS), default=64, help="models of each entry; default: 64")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page; default: docs/baselines-tuned.md")
    return parser


def _methods(text: str) -> list[str]:
    names = sorted(set(text.split(",")))
    if unknown := [name for name in names if name not in KNOBS]:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}. Choose from {', '.join(sorted(KNOBS))}")
    return names


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"tuning: {error.message}", file=sys.stderr)
        sys.exit(1)

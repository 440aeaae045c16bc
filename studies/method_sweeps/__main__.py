"""Sweep constants of the baselines on digits, and draw the results: `python -m studies.method_sweeps dampening`.

The command draws docs/images/method-dampening.svg and the other figures of docs/methods/, and prints their numbers. The
benchmark is built on first use. Results are kept in the data directory, under `method-sweeps`, by the digest of their
source.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from services.cli.building import find_or_build
from services.cli.console import progress
from services.core.bundle.manifest import require_oracle
from services.core.errors import LetheError
from services.core.settings import SandboxKind, Settings, load_settings
from studies.arguments import at_least
from studies.baselines.scenarios import Store
from studies.method_sweeps.plots import draw_family
from studies.method_sweeps.points import run_sweep, table_of
from studies.method_sweeps.sweeps import FAMILIES

BENCHMARK, LEAST_RUNS = "digits", 8
IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the figure of one family, or of all."""
    options = _parser().parse_args(arguments)
    settings = _one_process(load_settings())
    bundle = find_or_build(settings, BENCHMARK)
    require_oracle(options.runs, bundle.manifest.oracle_seeds)
    store = Store(settings, settings.data_dir / "method-sweeps")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in FAMILIES if options.family == "all" else [options.family]:
        with progress() as bars:
            task = bars.add_task(name, total=sum(len(sweep.values) for sweep in FAMILIES[name]))
            done = partial(bars.advance, task)
            measured = [(sweep, run_sweep(store, bundle, sweep, options.runs, done)) for sweep in FAMILIES[name]]
        file = options.out / f"method-{name}.svg"
        file.write_text(draw_family(name, measured), encoding="utf-8")
        print(f"\n{name}: {options.runs} runs of each\n")
        print(*(table_of(sweep, points) for sweep, points in measured), sep="\n\n")
        print(f"\n{file}", flush=True)


def _one_process(settings: Settings) -> Settings:
    """Run one model at a time, in the process sandbox, which is enough for our own entries."""
    return settings.model_copy(update={"sandbox": SandboxKind.PROCESS, "worker_slots": 1})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies.method_sweeps",
        description=__doc__.splitlines()[0],
        epilog="About 14 minutes of processor time for all, 8 s a point; what ran before is read, in half a minute.",
    )
    parser.add_argument("family", choices=[*FAMILIES, "all"], help="page of docs/methods/, or all")
    parser.add_argument("--runs", type=at_least(LEAST_RUNS), default=64, help="models for each point; default: 64")
    parser.add_argument("--out", type=Path, default=IMAGES, help="directory of the pictures; default: docs/images")
    return parser


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"method_sweeps: {error.message}", file=sys.stderr)
        sys.exit(1)

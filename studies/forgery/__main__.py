"""The table of acceptance of lethe-2: honest entries, partial ones and forgeries, each run anew and scored.

    python -m studies.forgery                    on digits, 128 runs of each entry
    python -m studies.forgery --runs 64          faster, and less certain
    python -m studies.forgery --benchmark NAME   on another benchmark, by name or directory

The benchmark is built on first use. Results are kept in the data directory, under `forgery`, by the digest of their
source, so a second call only scores. An entry takes 20 to 60 s on 2 idle cores. On `faces-small` retraining alone takes
that long, in every run: begin with `--runs 32`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.cli.building import find_or_build
from services.cli.console import progress
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import require_oracle
from services.core.bundle.measurements import Measurements
from services.core.errors import LetheError
from services.core.settings import SandboxKind, load_settings
from services.scorer.scoring import gather, score_by_all
from studies.baselines.scenarios import Store
from studies.forgery.entries import SECOND, STRATIFIED, Case, Group, forgeries, honest_entries, made_of_oracles
from studies.forgery.page import Row, print_table

METRIC, LEAST_RUNS = "lethe-2", 32


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every entry that has not run, score all, and print the table."""
    options = _parser().parse_args(arguments)
    settings = load_settings().model_copy(update={"sandbox": SandboxKind.PROCESS})
    bundle = find_or_build(settings, options.benchmark)
    require_oracle(options.runs, bundle.manifest.oracle_seeds)
    store = Store(settings, settings.data_dir / "forgery")
    print_table(rows(bundle, store, options.runs))


def rows(bundle: Bundle, store: Store, runs: int) -> Iterator[Row]:
    """Make the rows of the table: entries that run, then those that are made of stored measurements."""
    honest = honest_entries(bundle.manifest.recipe)
    with progress() as bars:
        task = bars.add_task(bundle.manifest.name, total=None)

        def measure(case: Case) -> Measurements:
            bars.update(task, description=case.title)
            ran = store.run(bundle, case.entry, runs)
            if ran.measurements is None:
                raise LetheError(f"{case.title} failed: {ran.message}")
            return ran.measurements

        first = measure(honest[0])
        known = {case: measure(case) for case in [*honest, *forgeries(bundle, first)]}
        for case, measurements in known.items():
            yield _row(case.group, case.title, bundle, measurements)
    for title, measurements in made_of_oracles(bundle, runs):
        group = Group.RETRAINING if title == SECOND else Group.FORGERY
        yield _row(group, title, bundle, measurements, independent=title != STRATIFIED, made=True)


def _row(
    group: Group,
    title: str,
    bundle: Bundle,
    measurements: Measurements,
    *,
    independent: bool = True,
    made: bool = False,
) -> Row:
    evidence = gather(measurements, bundle, independent=independent)
    if made:
        evidence = replace(evidence, second_oracle=None)  # its own models are no accusation
    reports = score_by_all(METRIC, evidence)
    others = {report.card.metric: report.card.forgetting_quality.value for report in reports[1:]}
    return Row(group, title, reports[0], others)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", default="digits", help="name or directory; default: digits")
    parser.add_argument("--runs", type=int, default=128, help="models of each entry; default: 128")
    return parser


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"forgery: {error.message}", file=sys.stderr)
        sys.exit(1)

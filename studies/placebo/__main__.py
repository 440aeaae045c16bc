"""What the placebo audit shows of entries about which the truth is known: the tables of docs/scoring.md.

    python -m studies.placebo                  64 runs of each entry from originals and 64 from placebos, on digits
    python -m studies.placebo --runs 32        faster, and less certain
    python -m studies.placebo --simulate 200   false alarms and power on simulated entries instead: a minute or two

The benchmark is built on first use, from a fixed secret. An entry takes half a minute to two minutes on 2 idle cores.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from services.core.bundle.directory import Bundle
from services.core.errors import LetheError
from services.core.settings import SandboxKind, Settings, load_settings
from services.scorer.metrics import Evidence
from services.scorer.metrics.lethe_2 import read_evidence
from services.scorer.metrics.placebo import is_replaced, read_placebo
from services.scorer.scoring import gather
from services.worker.local import LocalWorker, local_worker
from services.worker.supervisor import RunLimits
from studies.arguments import at_least
from studies.baselines.entries import Entry
from studies.forgery.entries import BASELINES, Case, Group, forgeries, honest_entries
from studies.own_benchmark import own_benchmark
from studies.placebo.simulated import print_simulations

BENCHMARK, ORACLE, ORIGINALS = "digits", 64, 8
TIMEOUT_S = 300.0
SECRET = b"studies.placebo".ljust(32, b".")
MODULES = Path(__file__).parent / "modules"
HONEST = (
    "the oracle's recipe",
    "half the learning rate",
    "identity",
    "finetune",
    "50% forgotten",
    "perturb_repair",
    "winner_1_contrastive",
    "winner_2_masked_reset",
)
BASES = ("salun", "gradient_ascent", "assd")
PINNED: dict[str, dict[str, Any]] = {
    "pinned: Gaussians of 6 retrained models": {},
    "pinned: the logits of one retrained model a run": {"KIND": "true"},
    "pinned: Gaussians, with a drift of 1 sd": {"DRIFT": 1.0},
    "pinned, if the model knows the forget labels": {"KNOWN": 0.85},
}
HEADINGS = ("entry", "follows, forget", "follows, test", "harm", "memory beyond placebos", "memory, lethe-2", "alarm")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every entry, and print the table; or simulate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=at_least(8), default=64, help="runs from originals, and from placebos")
    parser.add_argument("--simulate", type=at_least(1), help="simulate so many evaluations of each kind instead")
    options = parser.parse_args(arguments)
    if options.simulate:
        print_simulations(options.simulate)
        return
    settings = load_settings().model_copy(update={"sandbox": SandboxKind.PROCESS})
    bundle = benchmark(settings)
    print(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|")
    with local_worker(settings) as worker:
        for case in cases(bundle):
            print(line(case.title, measured(case, bundle, worker, settings, options.runs)), flush=True)


def benchmark(settings: Settings, *, seeds: int = ORACLE) -> Bundle:
    """Open the study's benchmark; build it if it is not there."""
    place = settings.make_data_dir() / "placebo" / f"{BENCHMARK}-{seeds}"
    return own_benchmark(place, BENCHMARK, seeds=seeds, originals=ORIGINALS, secret=SECRET)


def cases(bundle: Bundle) -> Iterator[Case]:
    """Choose honest entries, then entries that must be told."""
    yield from (case for case in honest_entries(bundle.manifest.recipe) if case.title in HONEST)
    for name in BASES:
        yield Case(Group.METHOD, name, _entry(BASELINES / f"{name}.py"))
    yield Case(Group.METHOD, "forget outputs pushed to uniform ones", _entry(MODULES / "uniform.py"))
    yield Case(Group.NOTHING, "trained on everything", _entry(MODULES / "everything.py"))
    second = bundle.measurements_of("second_oracle")
    assert second is not None
    yield from forgeries(bundle, second, PINNED)


def measured(case: Case, bundle: Bundle, worker: LocalWorker, settings: Settings, runs: int) -> Evidence:
    """Run an entry from originals and from placebos."""
    limits = RunLimits(runs, TIMEOUT_S, settings.slot_memory_bytes, data_hidden=False)
    done = worker.run(
        bundle,
        filename=f"{case.entry.name}.py",
        data=case.entry.source,
        limits=limits,
        seed_key=SECRET,
        placebos=runs,
    )
    return gather(done.measurements, bundle, placebo=done.placebo)


def line(title: str, evidence: Evidence) -> str:
    """Write a row."""
    found, plain = read_placebo(evidence), read_evidence(evidence)
    assert found is not None
    cells = [
        title,
        _number(found.following.forget),
        _number(found.following.test),
        _number(found.harm),
        _interval(found.memory, found.memory_error),
        _number(None if plain is None else plain.memory),
        f"p = {found.following.p_value:.1g}" if is_replaced(found) else "",
    ]
    return f"| {' | '.join(cells)} |"


def _entry(file: Path) -> Entry:
    return Entry(file.stem, file.read_bytes())


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value + 0.0:.2f}"


def _interval(value: float | None, error: float | None) -> str:
    return "–" if value is None or error is None else f"{value:.2f} [{value - error:.2f}, {value + error:.2f}]"


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"placebo: {error.message}", file=sys.stderr)
        sys.exit(1)

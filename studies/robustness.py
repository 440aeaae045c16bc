"""What the robustness stage shows of entries about which the truth is known: the table of docs/scoring.md.

    python -m studies.robustness                               32 runs of each entry on digits, 8 originals
    python -m studies.robustness --runs 16                     faster, and less certain
    python -m studies.robustness --benchmark digits-poisoned   with a planted trigger

The benchmark is built on first use, from a fixed secret. Takes minutes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from services.core.bundle.directory import Bundle
from services.core.errors import LetheError
from services.core.settings import SandboxKind, Settings, load_settings
from services.scorer.metrics import SUITES
from services.scorer.scoring import gather
from services.worker.local import LocalRun, LocalWorker, local_worker
from services.worker.supervisor import RunLimits
from studies.forgery.entries import Case, forgeries, honest_entries
from studies.own_benchmark import own_benchmark

BENCHMARK, ORACLE, ORIGINALS = "digits", 64, 8
TIMEOUT_S = 120.0
SECRET = b"studies.robustness".ljust(32, b".")
HONEST = ("the oracle's recipe", "half the learning rate", "identity", "finetune", "50% forgotten", "scrub")
FORGED = ("logits drawn from Gaussians of 6 retrained models", "Gaussians, noisy copies pinned too")
COLUMNS = ("clean_memory", "int8_memory", "int4_memory", "perturbed_memory", "relearning_early", "relearning")
MORE = ("relearned_labels", "distance_to_original", "poison_success")
HEADINGS = ("entry", "clean", "int8", "int4", "perturbed", "early", "relearning", "95%", "labels", "distance", "poison")

Values = dict[str, float | None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every entry, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=32, help="models of each entry; default: 32")
    parser.add_argument("--benchmark", default=BENCHMARK, help="a definition; default: digits")
    options = parser.parse_args(arguments)
    runs = options.runs
    settings = load_settings().model_copy(update={"sandbox": SandboxKind.PROCESS})
    bundle = benchmark(settings, name=options.benchmark)
    print(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|")
    with local_worker(settings) as worker:
        for title, values in rows(bundle, worker, settings, runs):
            print(line(title, values), flush=True)
    assert bundle.manifest.robustness is not None
    print("\n" + bundle.manifest.robustness.in_words(runs))


def benchmark(settings: Settings, *, name: str = BENCHMARK, seeds: int = ORACLE) -> Bundle:
    """Open the study's benchmark; build it if it is not there."""
    place = settings.make_data_dir() / "robustness" / f"{name}-{seeds}"
    return own_benchmark(place, name, seeds=seeds, originals=ORIGINALS, secret=SECRET, robustness=True)


def rows(bundle: Bundle, worker: LocalWorker, settings: Settings, runs: int) -> Iterator[tuple[str, Values]]:
    """Run the entries, and read the columns of each; the forgeries carry logits of the first one."""
    honest = [case for case in honest_entries(bundle.manifest.recipe) if case.title in HONEST]
    first = None
    for case in honest:
        done = _run(case, bundle, worker, settings, runs)
        first = first or done
        yield case.title, _columns(done, bundle)
    assert first is not None
    for case in forgeries(bundle, first.measurements):
        if case.title in FORGED:
            yield case.title, _columns(_run(case, bundle, worker, settings, runs), bundle)


def line(title: str, values: Values) -> str:
    """Write a row; the oracle's own values stand in brackets."""
    cells = [_pair(values, name) for name in COLUMNS]
    cells += [f"{_number(values['relearning_low'])} to {_number(values['relearning_high'])}"]
    return f"| {' | '.join([title, *cells, *(_pair(values, name) for name in MORE)])} |"


def _run(case: Case, bundle: Bundle, worker: LocalWorker, settings: Settings, runs: int) -> LocalRun:
    limits = RunLimits(runs, TIMEOUT_S, settings.slot_memory_bytes, data_hidden=False, robustness=True)
    return worker.run(bundle, filename=f"{case.entry.name}.py", data=case.entry.source, limits=limits, seed_key=SECRET)


def _columns(done: LocalRun, bundle: Bundle) -> Values:
    return SUITES["robustness"](gather(done.measurements, bundle, stress=done.stress))


def _pair(values: Values, name: str) -> str:
    return f"{_number(values[name])} ({_number(values[f'{name}_oracle'])})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"robustness: {error.message}", file=sys.stderr)
        sys.exit(1)

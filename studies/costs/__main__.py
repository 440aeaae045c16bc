"""What entries cost beside the platform's trainer, on an idle and on a busy machine: the figures of decision 49.

    python -m studies.costs                        process sandbox, 64 runs of each entry on digits
    python -m studies.costs --docker               in containers, where no process escapes the count
    python -m studies.costs --only retrain --runs 128

Every entry runs twice: on the machine as it is, and beside as many busy processes as `--load` says. The benchmark is
built on first use. Takes about 5 minutes on 2 cores, 10 with Docker.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, pstdev

from services.benchmarks.references import source
from services.core.bundle.directory import Bundle
from services.core.errors import LetheError
from services.core.settings import SandboxKind, load_settings
from services.scorer.costs import RunTime, cost_of
from services.worker.local import LocalWorker, local_worker
from services.worker.station import SeedTime
from services.worker.supervisor import RunLimits
from studies.robustness import TIMEOUT_S, benchmark

HERE = Path(__file__).parent
BASELINES = HERE.parents[1] / "baselines"
MODULES = {
    "identity": BASELINES / "identity.py",
    "finetune": BASELINES / "finetune.py",
    "finetune_noise": BASELINES / "finetune_noise.py",
    "retrain": BASELINES / "retrain.py",
    "retrain, gradients by hand": HERE / "modules" / "hand_written.py",
    "retrains in 49% of runs": HERE / "modules" / "sometimes.py",
    "retrains where nobody waits": HERE / "modules" / "hides.py",
    "leaves a busy process behind": HERE / "modules" / "stays.py",
    "fills all memory and caches": HERE / "modules" / "hoards.py",
}
PLATFORMS = "the platform's trainer itself"
NEVER = (None, None)
EVERY = 7  # runs, beside one of which the trainer is timed
BUSY = "while True: pass"
BEFORE = ((False, False), (True, False), (False, True))  # was it busy when the entry ran, and when the retraining
HEAD = """\
| entry | machine | trainer, ms | empty, ms | run, ms | spread | cost by processor | spread by clock | cost by clock |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one entry's runs on one kind of machine."""

    title: str
    is_busy: bool
    times: Sequence[SeedTime]


def main(arguments: Sequence[str] | None = None) -> None:
    """Time the entries, and print a row for each and each machine, then the ratios of the rule before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=64, help="runs of each entry; default: 64")
    parser.add_argument(
        "--load", type=int, default=os.cpu_count() or 1, help="busy processes; default: one per core, 0: none"
    )
    parser.add_argument("--docker", action="store_true", help="run in containers")
    parser.add_argument("--benchmark", type=Path, help="directory of a digits benchmark; default: build one")
    parser.add_argument("--only", action="append", help="time only this entry; repeatable")
    options = parser.parse_args(arguments)
    kind = SandboxKind.DOCKER if options.docker else SandboxKind.PROCESS
    settings = load_settings().model_copy(update={"sandbox": kind})
    bundle = Bundle(options.benchmark) if options.benchmark else benchmark(settings)
    recipe = bundle.manifest.recipe
    trainer = source(recipe, int(recipe["epochs"]))
    limits = RunLimits(options.runs, TIMEOUT_S, settings.slot_memory_bytes, data_hidden=False, trainer=trainer)
    entries = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()} | {PLATFORMS: trainer}
    machines = {"as it is": 0, f"{options.load} busy processes": options.load} if options.load else {"as it is": 0}
    found: list[Timing] = []
    print(HEAD)
    with local_worker(settings) as worker:
        for name, code in entries.items():
            if options.only and name not in options.only:
                continue
            for machine, load in machines.items():
                with _busy(load):
                    found.append(Timing(name, bool(load), _times(worker, bundle, code, limits)))
                print(_row(found[-1], machine), flush=True)
    if options.load:
        print(_before(found))


def _times(worker: LocalWorker, bundle: Bundle, code: str, limits: RunLimits) -> Sequence[SeedTime]:
    beside = range(0, limits.seeds, EVERY)
    return worker.run(bundle, filename="entry.py", data=code.encode(), limits=limits, trained=beside).times


@contextmanager
def _busy(processes: int) -> Iterator[None]:
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


def _row(of: Timing, machine: str) -> str:
    processor, clock = _cost(of.times, counted=True), _cost(of.times, counted=False)
    trained = [one.trainer.cpu_s or 0.0 for one in of.times if one.trainer]
    empty = [one.empty.cpu_s or 0.0 for one in of.times if one.empty]
    cpu, wall = [one.cpu_s or 0.0 for one in of.times], [one.run_s for one in of.times]
    took = " | ".join(f"{1000 * median(times):.1f}" for times in (trained, empty, cpu))
    return f"| {of.title} | {machine} | {took} | {_spread(cpu)} | {processor} | {_spread(wall)} | {clock} |"


def _cost(times: Sequence[SeedTime], *, counted: bool) -> str:
    cost = cost_of(
        RunTime("", one.run_s, one.cpu_s if counted else None, *(one.trainer or NEVER), *(one.empty or NEVER))
        for one in times
    )
    return "" if cost is None else f"{cost.ratio:.3f} [{cost.low:.3f}, {cost.high:.3f}]"


def _spread(seconds: Sequence[float]) -> str:
    return f"{pstdev(seconds) / fmean(seconds):.0%}"


def _before(found: Sequence[Timing]) -> str:
    """Say what the rule before would have shown: mean times by the clock, whenever they were measured."""
    of_trainer = {one.is_busy: fmean([time.run_s for time in one.times]) for one in found if one.title == PLATFORMS}
    lines = ["", "| entry | by mean clock times | entry beside busy processes | retraining beside them |"]
    lines.append("|---|---|---|---|")
    for title in dict.fromkeys(one.title for one in found):
        mine = {one.is_busy: fmean([time.run_s for time in one.times]) for one in found if one.title == title}
        cells = [mine[here] / of_trainer[there] for here, there in BEFORE]
        lines.append(f"| {title} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")
    return "\n".join(lines) if of_trainer else ""


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"costs: {error.message}", file=sys.stderr)
        sys.exit(1)

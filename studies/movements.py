"""How near entries come to each other by how they move weights: the figures of decision 46.

    python -m studies.movements                        every baseline twice on digits, 32 runs each, from 8 originals
    python -m studies.movements --only finetune --only scrub
    python -m studies.movements --runs 64              less noise, and twice as long

Both times a baseline runs under a fresh key, as a copy in another team would. The benchmark is built on first use.
Takes about an hour on 2 cores.
"""

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from services.cli.demo import baseline_files
from services.core.bundle.directory import Bundle
from services.core.errors import LetheError
from services.core.settings import SandboxKind, load_settings
from services.scorer.metrics import Movement
from services.scorer.metrics.movements import difference
from services.scorer.scoring import gather
from services.worker.local import LocalWorker, local_worker
from services.worker.supervisor import RunLimits
from studies.robustness import TIMEOUT_S, benchmark

NEAREST = 2  # other baselines that a row names

Pair = tuple[Movement | None, Movement | None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the baselines, and print how far each is from its own second evaluation, and from the nearest others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=32, help="models of each evaluation; default: 32")
    parser.add_argument("--only", action="append", help="run only this baseline; repeatable")
    options = parser.parse_args(arguments)
    settings = load_settings().model_copy(update={"sandbox": SandboxKind.PROCESS})
    bundle, found = benchmark(settings), dict[str, Pair]()
    limits = RunLimits(options.runs, TIMEOUT_S, settings.slot_memory_bytes, data_hidden=False)
    with local_worker(settings) as worker:
        for file in baseline_files():
            if not options.only or file.stem in options.only:
                found[file.stem] = (_movement(worker, bundle, file, limits), _movement(worker, bundle, file, limits))
                print(f"{file.stem} ran twice", file=sys.stderr, flush=True)
    print("| baseline | its own second evaluation | the nearest others |\n|---|---|---|")
    for name in found:
        print(_row(name, found))


def _movement(worker: LocalWorker, bundle: Bundle, file: Path, limits: RunLimits) -> Movement | None:
    done = worker.run(
        bundle, filename=file.name, data=file.read_bytes(), limits=limits, seed_key=secrets.token_bytes(32)
    )
    return Movement.of(gather(done.measurements, bundle))


def _row(name: str, found: dict[str, Pair]) -> str:
    """Write a row; a movement that is lost in the noise of its runs is compared with nothing."""
    own, again = found[name]
    if own is None or again is None:
        return f"| `{name}` | not clear | |"
    others = sorted(
        (difference(own, other), title) for title, (_, other) in found.items() if other is not None and title != name
    )
    nearest = ", ".join(f"`{title}` {apart:.2f}" for apart, title in others[:NEAREST])
    return f"| `{name}` | {difference(own, again):.2f} | {nearest} |"


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"movements: {error.message}", file=sys.stderr)
        sys.exit(1)

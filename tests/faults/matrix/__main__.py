"""The fault matrix: evaluations run on Postgres, Redis and S3 while parts of the installation break at random.

    python -m tests.faults.matrix --evaluations 200 --sandbox docker --seed 1

Some evaluations run undisturbed first. All run under faults, each with the secret key of one that ran undisturbed.
Nothing may be lost, counted twice or failed, every measurement and score must be equal to the bit, and what broke must
be back within a minute. Only processes and containers of this installation are broken; its Docker engine is its own.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from services.core.settings import SandboxKind
from tests.faults.matrix.breaking import CLOCK_FAULTS, DISK_FAULTS, DOCKER_FAULTS, ENGINE_FAULTS, FAULTS
from tests.faults.matrix.running import Plan, run_matrix
from tests.faults.matrix.site import site, small_disk


def main() -> int:
    """Run the matrix; print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--evaluations", type=int, default=200, help="evaluations under faults; default: 200, about 40 minutes"
    )
    parser.add_argument(
        "--undisturbed", type=int, default=20, help="evaluations that run undisturbed before, at most; default: 20"
    )
    parser.add_argument(
        "--minutes", type=float, help="time for evaluations under faults; then those that have not begun are left out"
    )
    parser.add_argument(
        "--sandbox",
        choices=[kind.value for kind in SandboxKind],
        default=SandboxKind.DOCKER.value,
        help="default: docker",
    )
    parser.add_argument("--seed", type=int, default=1, help="decides which fault strikes when; default: 1")
    parser.add_argument("--faults", default="", help="only faults of these names, with commas between them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    sandbox = SandboxKind(chosen.sandbox)
    faults = FAULTS | (DOCKER_FAULTS | ENGINE_FAULTS if sandbox is SandboxKind.DOCKER else {})
    with tempfile.TemporaryDirectory(prefix="lethe-faults-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        with small_disk(root / "var") as is_small, site(root, sandbox) as place:
            faults |= (DISK_FAULTS if is_small else {}) | (CLOCK_FAULTS if place.clock else {})
            wanted = chosen.faults.split(",") if chosen.faults else list(faults)
            outcome = run_matrix(
                place,
                Plan(min(chosen.undisturbed, chosen.evaluations), chosen.evaluations, chosen.minutes, chosen.seed),
                {name: faults[name] for name in wanted},
                say=lambda line: tell(line, sys.stderr),
            )
    tell(json.dumps(outcome.as_json(), indent=2) if chosen.json else outcome.as_table(), sys.stdout)
    for reason in outcome.failed:
        tell(reason, sys.stderr)
    return 0 if outcome.is_good else 1


def tell(line: str, stream: TextIO) -> None:
    """Write a line at once."""
    stream.write(line + "\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())

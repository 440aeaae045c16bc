"""Play users against a whole installation: `make load`, or `python -m benches.load --users 20 --seconds 15`.

Starts Postgres, Redis, two API processes, a scorer and a worker on free ports of this machine, with a board of 1,188
entries if you choose no other number, and ends them afterwards. Entries really run and are measured, on a benchmark of
66 examples and a linear model. A stage plays so many users with locust; afterwards the script waits until every
accepted submission has a score or a typed failure. Then come idle event streams, and the time from an
upload until a worker begins with it, by both doorbells.
"""

import argparse
import json
import platform
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from benches.filling import add_entries
from benches.load.first_run import FirstRun, first_runs
from benches.load.site import Site, add_users, site
from benches.load.stage import Stage, play
from benches.load.streams import PER_USER, Streams, hold
from services.core.models import Phase

ENTRIES = 1_188  # teams of the contest of 2023
AIMS_MS = {"upload": 150, "board": 60, "board, next page": 60}


def main() -> None:
    """Run the stages and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", default="250,1000", help="users of each stage, by commas; default: 250,1000")
    parser.add_argument("--seconds", type=float, default=60, help="how long users stay; default: 60")
    parser.add_argument(
        "--upload-every", type=float, default=600, help="seconds between two uploads of a user; default: 600"
    )
    parser.add_argument("--entries", type=int, default=ENTRIES, help=f"rows of the board; default: {ENTRIES:,}")
    parser.add_argument("--streams", type=int, default=2000, help="idle event streams; default: 2000")
    parser.add_argument("--first-runs", type=int, default=20, help="uploads with a free slot; default: 20")
    parser.add_argument("--drain", type=float, default=1800, help="seconds to wait for accepted entries; default: 1800")
    parser.add_argument("--json", action="store_true", help="print an object instead of tables")
    chosen = parser.parse_args()
    sizes = [int(one) for one in chosen.users.split(",")]
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="lethe-load-") as name, console.status("starting") as status:
        root = Path(name)
        (root / "embedded").mkdir()

        def tell(what: str) -> None:
            status.update(what)
            if not console.is_terminal:
                console.print(what)

        with site(root) as running:
            users = add_users(running, max(*sizes, -(-chosen.streams // PER_USER), 1))
            _fill_board(running, chosen.entries)
            tell(f"{chosen.first_runs} uploads, one after another, through Redis")
            waits = [first_runs(running, users[0], chosen.first_runs)]
            stages = [
                play(
                    running,
                    users[:size],
                    chosen.seconds,
                    upload_every_s=chosen.upload_every,
                    drain_s=chosen.drain,
                    tell=tell,
                )
                for size in sizes
            ]
            tell(f"{chosen.streams} idle streams")
            running.stop("worker")
            streams = hold(running, users, chosen.streams)
        tell(f"{chosen.first_runs} uploads, one after another, without Redis")
        with site(root / "embedded", embedded=True) as running:
            waits.append(first_runs(running, add_users(running, 1)[0], chosen.first_runs))
    if chosen.json:
        print(
            json.dumps(
                {
                    "python": platform.python_version(),
                    "stages": [asdict(one) for one in stages],
                    "streams": asdict(streams),
                    "first_runs": [asdict(one) for one in waits],
                },
                indent=2,
            )
        )
        return
    for stage in stages:
        _print_stage(stage)
    _print_rest(streams, waits)


def _fill_board(running: Site, entries: int) -> None:
    with running.database.read() as session:
        phase = session.scalars(select(Phase)).one()
        organiser = phase.competition.owner_id
    add_entries(running.database, phase, organiser, entries)


def _print_stage(stage: Stage) -> None:
    table = Table("asked for", "answers", "p50", "p95", "aim", "refused", "errors", title=f"{stage.users} users")
    for one in sorted(stage.asked, key=lambda one: -one.answers):
        aim = f"{AIMS_MS[one.name]} ms" if one.name in AIMS_MS and stage.users <= 250 else ""
        numbers = (f"{one.answers:,}", f"{one.p50_ms:.0f} ms", f"{one.p95_ms:.0f} ms")
        table.add_row(one.name, *numbers, aim, str(one.refused), str(one.errors))
    console = Console()
    console.print(table)
    console.print(
        f"Refusals without Retry-After: {stage.without_retry}. Accepted: {stage.accepted}; scored: {stage.scored}, "
        f"failed: {stage.failed}, lost: {stage.lost}; the last one {stage.drained_s:.0f} s after the users had left."
    )
    used = ", ".join(f"{part} {spent:.0f} s" for part, spent in stage.cpu_s.items())
    console.print(f"Processor time in {stage.seconds:.0f} s: {used}. An API process holds {stage.api_mb:.0f} MB.\n")


def _print_rest(streams: Streams, waits: list[FirstRun]) -> None:
    console = Console()
    console.print(
        f"{streams.streams} idle streams ({streams.refused} refused): {streams.mb:.0f} MB in the API process "
        f"({streams.mb_before:.0f} MB before), {streams.threads} threads ({streams.threads_before} before), "
        f"{streams.connections} connections of all services to the database. An event reached all its streams "
        f"{1e3 * streams.told_s:.0f} ms after it was asked for.\n"
    )
    table = Table("doorbell", "uploads", "p50 until it runs", "p95", "aim")
    for one in waits:
        table.add_row(one.doorbell, str(one.entries), f"{one.p50_s:.2f} s", f"{one.p95_s:.2f} s", "1 s")
    console.print(table)


if __name__ == "__main__":
    main()

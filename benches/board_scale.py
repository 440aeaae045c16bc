"""Time a page of a leaderboard as the contest grows: `python -m benches.board_scale --teams 1000,10000 [--postgres]`.

For each size the script fills a separate installation, computes the standings as the scorer does after a score, and
reads pages of 50 at random places through a real server on the loopback interface, one after another. Beside that, in
the same run and from the same rows, it times what other platforms do for every view: best score per team in one query
over all submissions, all rows sent.
"""

import argparse
import http.client
import json
import multiprocessing
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text

from benches.filling import KEY, SPLITS, Disposing, fill, postgres, settings_in
from benches.processes import cpu_seconds
from services.api.kit.cursors import Cursors
from services.api.leaderboard import keys
from services.core.logs import configure_logs
from services.core.models import Score, Standings, Submission, Team
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.scorer.standings.boards import Boards
from services.scorer.stores import Stores

PAGE = 50
TABLE_WIDTH = 120  # also where the output is no terminal
READS = 400
WARM = 50  # reads before those that count
SERVE = """
import json, socket, sys, uvicorn
from services.api.app import create_app
from services.core.settings import Settings
app = create_app(Settings(**json.loads(sys.argv[2])))
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


def main() -> None:
    """Print one row for each number of teams."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", default="1000,10000,100000", help="numbers of teams, by commas")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server that the script starts")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.add_argument("--reads", type=int, default=READS, help=f"pages to read at each size; default: {READS}")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    found = []
    for teams in map(int, arguments.teams.split(",")):
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(postgres()) if arguments.postgres else f"sqlite:///{directory}/lethe.db"
            settings = settings_in(directory, url)
            start = time.perf_counter()
            with console.status(f"{teams:,} teams: filling the database"):
                fill(settings, teams)
            fill_s = time.perf_counter() - start
            console.print(f"{teams:,} teams: filled in {fill_s:.1f} s (not part of what is measured)")
            with console.status(f"{teams:,} teams: computing, then reading"):
                found.append({"teams": teams} | _measure(settings, arguments.reads))
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    table = Table(
        "teams",
        "page p50",
        "page p99",
        "server's CPU",
        "standings",
        "memory for them",
        "recomputed per view",
        "sent then",
    )
    for row in found:
        table.add_row(
            f"{row['teams']:,}",
            f"{row['p50_ms']:.1f} ms",
            f"{row['p99_ms']:.1f} ms",
            f"{row['cpu_ms']:.1f} ms",
            f"{row['refresh_s']:.2f} s",
            f"{row['peak_mb']:.0f} MB",
            f"{row['recompute_ms']:.0f} ms",
            f"{row['recompute_mb']:.1f} MB",
        )
    Console(width=max(TABLE_WIDTH, Console().width)).print(table)


def _measure(settings: Settings, reads: int) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(_refresh, (settings, False))  # what a running scorer has loaded and compiled already
        refresh_s, peak_mb = pool.apply(_refresh, (settings, True))
    recompute_ms, recompute_mb = _recompute(settings)
    times_ms, cpu_ms = _read(settings, reads)
    return {
        "p50_ms": float(np.percentile(times_ms, 50)),
        "p99_ms": float(np.percentile(times_ms, 99)),
        "cpu_ms": cpu_ms,
        "refresh_s": refresh_s,
        "peak_mb": peak_mb,
        "recompute_ms": recompute_ms,
        "recompute_mb": recompute_mb,
    }


def _refresh(settings: Settings, measured: bool) -> tuple[float, float]:
    """Compute the standings after the last move; or those of an empty board, so that all is loaded."""
    configure_logs()  # to standard error: standard output is for the table, or for JSON
    database = Database(settings.resolved_database_url)
    with closing(Disposing(database)):
        if not measured:
            from services.scorer.standings import pairs

            small = np.linspace(1, 0, 20), np.zeros((20, SPLITS))
            pairs.rank_intervals(*small)
            pairs.tie_groups(*small)
            return 0.0, 0.0
        boards = Boards(Stores(database, Blobs.from_settings(settings), settings))
        start = time.perf_counter()
        assert boards.keep() == 1
        spent = time.perf_counter() - start
    return spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _recompute(settings: Settings) -> tuple[float, float]:
    """Time the best score of every team in one query, sent whole as JSON: the median of three."""
    database = Database(settings.resolved_database_url)
    statement = (
        select(Team.name, func.max(Score.final_score).label("best"))
        .add_columns(func.max(Score.forgetting_quality), func.max(Score.utility), func.max(Score.run_s))
        .join(Submission, Submission.team_id == Team.id)
        .join(Score, Score.evaluation_id == Submission.evaluation_id)
        .group_by(Team.id, Team.name)
        .order_by(text("best DESC"))
    )
    times, size = [], 0
    with closing(Disposing(database)), database.read() as session:
        for _ in range(3):
            start = time.perf_counter()
            size = len(json.dumps([list(row) for row in session.execute(statement)]))
            times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times)), size / 1e6


def _read(settings: Settings, reads: int) -> tuple[list[float], float]:
    """Read pages at random places; return the milliseconds of each, and the server's processor time for one."""
    database = Database(settings.resolved_database_url)
    with closing(Disposing(database)), database.read() as session:
        board = session.scalars(select(Standings)).one()
    cursors = Cursors(settings.key())
    listing = f"leaderboard:{board.phase_id}:None"
    places = np.random.default_rng(1).integers(0, max(1, board.total - PAGE), reads + WARM).tolist()
    times = []
    used_s = 0.0
    with _server(settings) as (port, pid), closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        for number, place in enumerate(places):
            if number == WARM:
                used_s = cpu_seconds(pid)
            after = keys.encode(cursors, listing, board.moment, place)
            start = time.perf_counter()
            connection.request("GET", f"/api/competitions/bench/phases/final/leaderboard?limit={PAGE}&after={after}")
            answer = connection.getresponse()
            body = answer.read()
            spent = time.perf_counter() - start
            assert answer.status == 200, body[:300]
            if number >= WARM:
                times.append(1e3 * spent)
        used_s = cpu_seconds(pid) - used_s
        assert json.loads(body)["items"][0]["rank"] is not None
    return times, 1e3 * used_s / len(times)


@contextmanager
def _server(settings: Settings) -> Iterator[tuple[int, int]]:
    """Serve the app in a process of its own; yield the port and the id of the process."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        given = settings.model_dump(mode="json") | {"secret_key": KEY}
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(listening.fileno()), json.dumps(given)],
            pass_fds=[listening.fileno()],
            stdout=subprocess.DEVNULL,
        )
        try:
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()

"""Time the freezing of a contest, and the memory for it: `python -m benches.freezing --teams 1200,12000`.

For each size the script fills an installation with one entry per team, all scores on record, and then freezes and
checks the competition in a process of its own. Memory is what that process holds beyond what it holds for 10 teams.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from benches.filling import fill, settings_in
from services.api.frozen.checking import check
from services.api.frozen.freezing import freeze
from services.core.models import Phase, Score
from services.core.record.acts import record_scores
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.scorer.standings.boards import Boards
from services.scorer.stores import Stores

FEW = 10
PORTION = 500
MEGABYTE = 1e6


def main() -> None:
    """Print one row for each number of teams."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", default="1200,12000", help="numbers of teams, by commas")
    arguments = parser.parse_args()
    _, least_mb, _, _ = _measure(FEW)
    table = Table("teams", "freezing", "memory beyond", "archive", "checking")
    for teams in map(int, arguments.teams.split(",")):
        frozen_s, peak_mb, size_mb, checked_s = _measure(teams)
        table.add_row(
            f"{teams:,}", f"{frozen_s:.1f} s", f"{peak_mb - least_mb:.0f} MB", f"{size_mb:.1f} MB", f"{checked_s:.1f} s"
        )
    Console().print(table)


def _measure(teams: int) -> tuple[float, float, float, float]:
    with tempfile.TemporaryDirectory() as directory:
        settings = settings_in(Path(directory), f"sqlite:///{directory}/lethe.db")
        fill(settings, teams)
        _prepare(settings)
        out = Path(directory) / "bench.zip"
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            frozen_s, peak_mb = pool.apply(_freeze, (settings, out))
        start = time.perf_counter()
        assert check(out).problems == []
        return frozen_s, peak_mb, out.stat().st_size / MEGABYTE, time.perf_counter() - start


def _prepare(settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    with database.read() as session:
        found = list(session.scalars(select(Score.id)))
    for first in range(0, len(found), PORTION):
        some = found[first : first + PORTION]
        with database.write() as session:
            phase = session.scalars(select(Phase)).one()
            record_scores(session, phase, session.scalars(select(Score).where(Score.id.in_(some))))
    Boards(Stores(database, Blobs.from_settings(settings), settings)).keep()
    database.dispose()


def _freeze(settings: Settings, out: Path) -> tuple[float, float]:
    database = Database(settings.resolved_database_url)
    start = time.perf_counter()
    freeze(
        database,
        Blobs.from_settings(settings),
        settings.key(),
        "bench",
        out,
        compute=lambda: None,
        tell=lambda *_: None,
    )
    spent = time.perf_counter() - start
    database.dispose()
    return spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

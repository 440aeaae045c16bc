"""Time what a scorer and an operator's monitoring look for while nothing waits: `python -m benches.idle_scorer`.

For each size the script fills an installation with one scored entry per team, with its events, and computes its board
once. Then it times each look: a scorer takes them twice a second to once in a few seconds for as long as it runs, so
none may grow with the contest. Beside what is to be scored stands the same question without its index.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select

from benches.filling import fill, settings_in
from services.api.admin.metrics import DatabaseMetrics
from services.core.models import Evaluation, Event, EventKind, SubmissionState
from services.core.settings import Settings
from services.core.store.database import Database
from services.scorer.consumer import Scorer

EVENTS = (EventKind.QUEUED, EventKind.RUNNING, *[EventKind.PROGRESS] * 4, EventKind.MEASURED, EventKind.SCORED)
PORTION = 2_000
REPEATS = 7


def main() -> None:
    """Print one row for each look, and the time in milliseconds for each number of teams."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", default="1200,100000", help="numbers of teams, by commas")
    sizes = [int(number) for number in parser.parse_args().teams.split(",")]
    found = [_measure(teams) for teams in sizes]
    table = Table("look", *(f"{teams:,} teams" for teams in sizes))
    for look in found[0]:
        table.add_row(look, *(f"{times[look] * 1000:.1f} ms" for times in found))
    Console().print(table)


def _measure(teams: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        settings = settings_in(Path(directory), f"sqlite:///{directory}/lethe.db")
        fill(settings, teams)
        _add_events(settings)
        scorer = Scorer(settings)
        try:
            scorer.keep()  # computes the board
            return {name: _median(look) for name, look in _looks(scorer)}
        finally:
            scorer.database.dispose()


def _looks(scorer: Scorer) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "what is to be scored", scorer.evaluations.next
    yield "the same without an index", lambda: _by_definition(scorer.database)
    yield "what is to be tidied", scorer.tidying.next
    yield "rescorings that wait", scorer.campaigns.waits
    yield "provisional scores", scorer.provisional.due
    yield "reliability", scorer.reliability.due
    yield "boards, previews, finals, acts, matrices", scorer.keep
    yield "texts of /api/admin/metrics", lambda: list(DatabaseMetrics(scorer.database).collect())


def _by_definition(database: Database) -> object:
    lacking = select(Evaluation.id).where(Evaluation.shown_state == SubmissionState.MEASURED)
    with database.read() as session:
        return session.scalar(lacking.order_by(Evaluation.finished_at).limit(1))


def _median(look: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        look()
        times.append(time.perf_counter() - start)
    return sorted(times)[REPEATS // 2]


def _add_events(settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    with database.read() as session:
        evaluations = session.scalars(select(Evaluation.id)).all()
    for first in range(0, len(evaluations), PORTION):
        rows = [
            {"evaluation_id": one, "sequence": number, "kind": kind, "payload": {}}
            for one in evaluations[first : first + PORTION]
            for number, kind in enumerate(EVENTS, start=1)
        ]
        with database.write() as session:
            session.execute(insert(Event), rows)
    database.dispose()


if __name__ == "__main__":
    main()

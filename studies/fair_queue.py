"""How long teams wait, first come first served and in turns: `python -m studies.fair_queue` (under a minute).

One team submits 100 entries at once. While these wait, ten teams submit one entry each, one every half hour. An entry
is 8 shards of 5 minutes, and 4 workers run shards. Time is simulated; whose turn it is decides the queue itself, on an
SQLite database.
"""

import heapq
import statistics
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from benches.contest import add_phase, stand_in_benchmark
from services.core.models import Device, Phase, Team
from services.core.queue import leases
from services.core.queue.lifecycle import queue_evaluation
from services.core.queue.turns import WorkerOffer
from services.core.store.database import Database
from services.core.store.migrate import upgrade

BUSY = 0  # the team that submits many
SHARDS, SHARD_MIN, WORKERS = 8, 5.0, 4
OFFER = WorkerOffer(worker="study", device=Device.CPU, device_class="cpu", memory_bytes=2**31)


@dataclass
class Entry:
    """An entry, and in minutes when it came, first ran and had its result."""

    team: int
    came: float
    started: float | None = None
    left: int = SHARDS
    ended: float = 0.0


class FirstCome:
    """A plain queue: the oldest shard runs first."""

    def __init__(self) -> None:
        self._waiting: deque[Entry] = deque()

    def add(self, entry: Entry) -> None:
        self._waiting.extend([entry] * SHARDS)

    def take(self) -> Entry | None:
        return self._waiting.popleft() if self._waiting else None


class Turns:
    """Our queue."""

    def __init__(self, database: Database, teams: int) -> None:
        self._database = database
        self._entries: dict[UUID, Entry] = {}
        with self._database.write() as session:
            rows = [Team(name=f"team-{number}") for number in range(teams)]
            session.add_all(rows)
            phase = add_phase(session, stand_in_benchmark(), seeds=SHARDS)
            self._phase, self._teams = phase.id, [row.id for row in rows]

    def add(self, entry: Entry) -> None:
        with self._database.write() as session:
            phase = session.get_one(Phase, self._phase)
            code = f"{len(self._entries):064x}"
            self._entries[queue_evaluation(session, phase, code, team_id=self._teams[entry.team]).id] = entry

    def take(self) -> Entry | None:
        with self._database.write() as session:
            lease = leases.claim(session, OFFER, 60)
        return self._entries[lease.evaluation_id] if lease else None


@contextmanager
def turns(teams: int) -> Iterator[Turns]:
    """Open our queue on a database of its own."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{Path(directory) / 'study.db'}")
        upgrade(database)
        yield Turns(database, teams)
        database.dispose()


def arrivals(many: int, others: int) -> list[Entry]:
    """Return entries in the order in which they come."""
    return [Entry(BUSY, 0.0) for _ in range(many)] + [Entry(team, 30.0 * team) for team in range(1, others + 1)]


def simulate(queue: FirstCome | Turns, entries: list[Entry]) -> None:
    """Run all entries on the workers, and write into each when it started and ended."""
    coming = deque(entries)
    free = [0.0] * WORKERS  # when each worker is free
    while coming or any(entry.left for entry in entries):
        now = heapq.heappop(free)
        while coming and coming[0].came <= now:
            queue.add(coming.popleft())
        entry = queue.take()
        if entry is None:
            if not coming:
                continue  # this worker is done
            heapq.heappush(free, coming[0].came)
            continue
        entry.started = now if entry.started is None else entry.started
        entry.left -= 1
        entry.ended = max(entry.ended, now + SHARD_MIN)
        heapq.heappush(free, now + SHARD_MIN)


def rows(many: int = 100, others: int = 10) -> Iterator[str]:
    """Compute the table, a row for each kind of team and queue."""
    yield "| team | queue | first run: median | worst | result: median | worst |"
    yield "|---|---|---|---|---|---|"
    kinds: dict[str, Callable[[Entry], bool]] = {
        f"one that submits {many} entries": lambda entry: entry.team == BUSY,
        f"{others} that submit one each": lambda entry: entry.team != BUSY,
    }
    found = {"first come": arrivals(many, others), "turns": arrivals(many, others)}
    simulate(FirstCome(), found["first come"])
    with turns(others + 1) as queue:
        simulate(queue, found["turns"])
    for kind, belongs in kinds.items():
        for name, entries in found.items():
            own = [entry for entry in entries if belongs(entry)]
            starts = [(entry.started or 0.0) - entry.came for entry in own]
            ends = [entry.ended - entry.came for entry in own]
            numbers = [statistics.median(starts), max(starts), statistics.median(ends), max(ends)]
            yield f"| {kind} | {name} | " + " | ".join(f"{number:.0f} min" for number in numbers) + " |"


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)

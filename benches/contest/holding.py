"""The installation that holds the contest, and how its people wait for it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benches.load.site import Site, User, add_users, site
from services.cli.client import Client, ServerProblem
from services.core.bundle import store as bundle_store
from services.core.models import Act, AuditEvent
from services.core.record.chain import Head
from services.core.record.verifying import verify_database
from services.core.store.blobs import Blobs
from tests.bundles import make_tiny_bundle

__all__ = ["SLUG", "Contest", "open_contest"]

SLUG = "contest"
PATIENCE_S = 1800
LOOK_EVERY_S = 0.5
ENDED = {"scored", "checked", "failed", "cancelled"}


@dataclass
class Contest:
    """A contest that is being played."""

    place: Site
    root: Path
    seeds: int
    benchmarks: tuple[str, str]  # digests
    organiser: Client
    people: dict[str, Client]  # participants, by the name of their team
    stranger: Client
    entries: dict[str, str] = field(default_factory=dict)  # feedback submissions, by team
    heads: list[Head] = field(default_factory=list)  # of the record, as seen after each step

    @property
    def path(self) -> str:
        """The contest's address."""
        return f"/api/competitions/{SLUG}"

    @property
    def final(self) -> str:
        """The address of its final."""
        return f"{self.path}/phases/final/final"

    def timed(self, act: Callable[[], None]) -> float:
        """Return the seconds that an act takes."""
        began = time.perf_counter()
        act()
        return time.perf_counter() - began

    def board(self, phase: str) -> list[dict[str, Any]]:
        """Return a leaderboard as a stranger sees it, once the newest is computed."""
        return self.stranger.board(f"{self.path}/phases/{phase}/leaderboard")

    def submit(self, team: str, phase: str, source: str) -> str:
        """Upload an entry; return the submission's id."""
        file = self.root / f"{team}.py"
        file.write_text(source)
        query = {"filename": "entry.py", "team": team}
        return str(self.people[team].upload(f"{self.path}/phases/{phase}/submissions", file, **query)["id"])

    def await_ended(self, phase: str, count: int) -> None:
        """Wait until so many submissions to a phase have ended, all of them well."""

        def states() -> list[str]:
            return [one["state"] for one in self.organiser.pages(f"{self.path}/submissions", phase=phase)]

        self.await_true(lambda: len(found := states()) == count and set(found) <= ENDED, f"the entries of {phase}")
        require(set(states()) <= {"scored", "checked"}, f"an entry of {phase} failed")

    def await_true(self, holds: Callable[[], bool], what: str) -> None:
        """Ask until it is so. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come within {PATIENCE_S} s. The logs are in {self.place.logs}.")
            time.sleep(LOOK_EVERY_S)

    def lethe(self, *arguments: str) -> str:
        """Run a command on the installation's own data; return what it said."""
        environment = os.environ | {"LETHE_DATA_DIR": str(self.place.settings.data_dir)}
        command = [sys.executable, "-m", "services.cli.main", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        require(done.returncode == 0, f"lethe {' '.join(arguments)} failed: {done.stderr}")
        return done.stdout

    def problems(self) -> list[str]:
        """Return what `lethe audit verify` finds wrong with the record."""
        return verify_database(self.place.database, self.heads).problems

    def check_record(self) -> None:
        """Wait until every act has its number, check all of the record, and keep its head."""
        self.await_true(self._is_numbered, "the numbers of the newest acts")
        report = verify_database(self.place.database, self.heads)
        require(not report.problems, f"the record is broken: {report.problems}")
        shown = self.stranger.get("/api/record")
        require(
            (shown["number"], shown["hash"]) == (report.head.number, report.head.hash), "the public head is another"
        )
        self.heads.append(report.head)

    def acts(self, act: Act) -> int:
        """Count the acts of a kind on record."""
        with self.place.database.read() as session:
            return session.scalar(select(func.count()).where(AuditEvent.act == act)) or 0

    def _is_numbered(self) -> bool:
        with self.place.database.read() as session:
            return not session.scalar(select(func.count()).where(AuditEvent.number.is_(None)))


def require(holds: bool, otherwise: str) -> None:
    """Raise AssertionError unless it holds, also under `python -O`."""
    if not holds:
        raise AssertionError(otherwise)


def refused(call: Callable[[], object]) -> int:
    """Make a call that must be refused; return its status."""
    try:
        call()
    except ServerProblem as error:
        return int(error.problem["status"])
    raise AssertionError("the server did what it should refuse")


@contextmanager
def open_contest(root: Path, teams: int, seeds: int) -> Iterator[Contest]:
    """Start an installation with two benchmarks, an organiser and participants, each with a team."""
    with ExitStack() as stack:
        place = stack.enter_context(site(root, embedded=True))
        with place.database.write() as session:
            blobs = Blobs.from_settings(place.settings)
            second = make_tiny_bundle(root / "second", oracle_seeds=72)
            bundle_store.publish(session, blobs, second)
        first = make_tiny_bundle(root / "first").manifest.digest

        def client(user: User | None) -> Client:
            opened = Client(place.urls[0], user.token if user else None)
            stack.callback(opened.close)
            return opened

        organiser, *users = add_users(place, teams + 1)
        place.client.patch(f"/api/admin/accounts/{organiser.username}", {"role": "organiser"})
        yield Contest(
            place=place,
            root=root,
            seeds=seeds,
            benchmarks=(first, second.manifest.digest),
            organiser=client(organiser),
            people={user.username: client(user) for user in users},
            stranger=client(None),
        )

"""The real app, callers of every role, and rows to work on."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from sqlalchemy import event
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from services.api.accounts.service import issue_token
from services.api.app import create_app
from services.api.kit.loops import LOOK_EVERY_S
from services.api.main import Server
from services.api.state import ApiState
from services.core.models import (
    Account,
    BenchmarkRow,
    Competition,
    Device,
    Phase,
    PhaseKind,
    Role,
    Team,
    TeamMember,
    TokenKind,
)
from services.core.settings import SandboxKind, Settings
from services.core.store.database import Database, WriteSession, utc_now
from services.scorer.consumer import Scorer
from services.scorer.rescorings import Rescorings
from services.scorer.standings.boards import Boards
from services.scorer.standings.previews import Previews
from services.scorer.stores import Stores

KEY = "test-key"
NO_WEB_APP = Path("/nonexistent")  # whether or not one is built here
ORIGIN = "http://testserver"
MODULE = b"def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"
SUBMIT = "/api/competitions/cup/phases/feedback/submissions"
BOARD = "/api/competitions/cup/phases/feedback/leaderboard"
_routes: list[BaseRoute] = []  # of the first app that ran here


@dataclass
class Caller:
    """Somebody who calls the API with a token, or nobody."""

    client: TestClient
    token: str | None = None
    account: Account | None = None

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        options["headers"] = headers | options.get("headers", {})
        return self.client.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """Read. Before a leaderboard or a preview is read, the scorer that stands beside every API computes it."""
        if not any(part in path for part in ("/leaderboard", "/campaigns/")):
            return self.request("GET", path, **options)
        self.keep_boards()
        found = self.request("GET", path, **options)
        if found.status_code == 503 and found.json()["code"] == "standings_not_ready":
            self.keep_boards()
            return self.request("GET", path, **options)
        return found

    def keep_boards(self) -> None:
        state: ApiState = self.client.app.state.lethe  # type: ignore[attr-defined]
        keep_boards(Stores(state.database, state.blobs, state.settings))

    def post(self, path: str, **options: Any) -> httpx2.Response:
        """Write. What is asked of a rescoring is done by the scorer that stands beside every API."""
        found = self.request("POST", path, **options)
        if "/campaigns" in path or path.endswith("/undo"):
            self.keep_boards()
        return found

    def submit(self, data: bytes = MODULE, filename: str = "entry.py", **query: Any) -> httpx2.Response:
        return self.post(SUBMIT, content=data, params={"filename": filename} | query)


@dataclass
class Api:
    """The app under test and its database."""

    app: FastAPI
    client: TestClient
    database: Database

    @property
    def state(self) -> ApiState:
        state: ApiState = self.app.state.lethe
        return state

    @property
    def anonymous(self) -> Caller:
        return Caller(self.client)

    def caller(self, username: str, role: Role = Role.PARTICIPANT, kind: TokenKind = TokenKind.SESSION) -> Caller:
        """Make an account with a team of its name, and a token."""
        with self.database.write() as session:
            account = add_account(session, username, role)
            _, token = issue_token(session, account, KEY.encode(), name="test", kind=kind, lifetime=timedelta(days=1))
        return Caller(self.client, token, account)


def numbered(number: int) -> bytes:
    """Return a module that is other code than that of any other number."""
    return MODULE + f"NUMBER = {number}\n".encode()


def add_account(session: WriteSession, username: str, role: Role = Role.PARTICIPANT) -> Account:
    account = Account(username=username, password_hash="", role=role)
    team = Team(name=username)
    session.add_all([account, team])
    session.flush()
    session.add(TeamMember(team_id=team.id, account_id=account.id))
    session.flush()
    return account


def add_benchmark(session: WriteSession, name: str = "tiny", digest: str = "d" * 64) -> BenchmarkRow:
    row = BenchmarkRow(name=name, digest=digest, manifest={"oracle_seeds": 512}, manifest_blob="0" * 64)
    session.add(row)
    session.flush()
    return row


def add_phase(session: WriteSession, organiser: Account, **changes: Any) -> Phase:
    """Add competition `cup` with an open phase `feedback` of 8 seeds in 2 shards."""
    competition = Competition(slug="cup", title="Cup", owner_id=organiser.id)
    session.add(competition)
    session.flush()
    values: dict[str, Any] = {
        "slug": "feedback",
        "kind": PhaseKind.FEEDBACK,
        "opens_at": utc_now() - timedelta(days=1),
        "closes_at": utc_now() + timedelta(days=1),
        "seeds": 8,
        "shard_seeds": 4,
        "quota_per_day": 5,
        "seed_timeout_s": 10.0,
        "memory_bytes": 2 * 1024**3,
        "device": Device.CPU,
        "metric": "neurips-2023",
        "max_time_ratio": 0.2,
        "data_hidden": False,
    }
    phase = Phase(competition=competition, benchmark=add_benchmark(session), **values | changes)
    session.add(phase)
    session.flush()
    return phase


def make_settings(root: Path, database_url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": database_url,
        "sandbox": SandboxKind.DOCKER,
        "secret_key": KEY,
        "allowed_hosts": "testserver",
    }
    return Settings(data_dir=root / "data", **values | changes)


def keep_boards(stores: Stores) -> None:
    """Compute the leaderboards and previews that are due, as the scorer does."""
    Rescorings(stores).keep()
    Boards(stores).keep()
    Previews(stores).keep()


@contextmanager
def keeping_boards(settings: Settings) -> Iterator[None]:
    """Compute leaderboards and previews in a thread."""
    scorer = Scorer(settings)
    thread = threading.Thread(target=scorer.keep_regularly, daemon=True)
    thread.start()
    yield
    scorer.stopping.set()
    thread.join(timeout=30)
    scorer.database.dispose()


@contextmanager
def failing_commits() -> Iterator[None]:
    """Let every transaction that writes fail at its end."""

    def fail(_session: object) -> None:
        raise RuntimeError("the disk is full of secrets")

    event.listen(WriteSession, "before_commit", fail)
    try:
        yield
    finally:
        event.remove(WriteSession, "before_commit", fail)


@contextmanager
def running(settings: Settings, *, look_every_s: float = 3600.0) -> Iterator[Api]:
    """Start the app in this process, on a database that has the newest schema.

    Its loops look seldom: most tests take their steps themselves. Apps share their routes, which know nothing of
    settings: FastAPI works out what each takes when it first meets it.
    """
    database = Database(settings.resolved_database_url)
    app = create_app(settings, web=NO_WEB_APP)
    app.state.look_every_s = look_every_s
    _routes[:] = _routes or app.router.routes
    app.router.routes[:] = _routes
    with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield Api(app, client, database)
    database.dispose()


def prepare(api: Api) -> Caller:
    """Make the phase `feedback` of `cup`, and a participant."""
    organiser = api.caller("organiser", Role.ORGANISER)
    assert organiser.account is not None
    with api.database.write() as session:
        add_phase(session, organiser.account)
    return api.caller("ada")


@dataclass
class Served:
    """The app behind a real server on the loopback interface."""

    url: str
    port: int
    server: Server
    thread: threading.Thread

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()


@contextmanager
def serving(settings: Settings, port: int = 0, *, look_every_s: float = LOOK_EVERY_S) -> Iterator[Served]:
    """Run the real server in a thread, on this port or a free one. Its loops look so often for something to do."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    port = listener.getsockname()[1]
    server = Server(settings)
    app: Any = server.config.app
    app.state.look_every_s = look_every_s
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    served = Served(f"http://127.0.0.1:{port}", port, server, thread)
    try:
        yield served
    finally:
        served.stop()
        listener.close()

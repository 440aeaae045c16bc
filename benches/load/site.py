"""An installation like production without containers: Postgres, Redis, API processes, a worker and a scorer.

Participants may submit only if the sandbox is Docker. The API believes that it is, and the worker runs entries as plain
processes: the only entries here are our own. With `embedded`, one API process on SQLite without Redis.
"""

import itertools
import os
import signal
import string
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from services.api.accounts.passwords import hash_password
from services.api.accounts.service import create_token
from services.cli.client import Client
from services.cli.operator import prepare
from services.cli.stack import PARENT
from services.core.bundle import store as bundle_store
from services.core.models import Account, Team, TeamMember
from services.core.settings import SandboxKind, Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database, WriteSession
from tests.bundles import make_tiny_bundle
from tests.installation import free_port, phase_of
from tests.real_services import postgres_server, redis_server

__all__ = ["BOARD", "PASSWORD", "SUBMIT", "Site", "User", "add_users", "site"]

PHASE = "/api/competitions/cup/phases/feedback"
SUBMIT, BOARD = f"{PHASE}/submissions", f"{PHASE}/leaderboard"
PASSWORD = "a long password of everybody"
START_S, STOP_S = 60, 60
SEEDS = 8


@dataclass
class User:
    """A participant with a team and a token."""

    username: str
    token: str


@dataclass
class Site:
    """A running installation with competition `cup` and its open phase `feedback` on a small benchmark."""

    settings: Settings
    database: Database
    client: Client
    urls: list[str]
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def pid(self, part: str) -> int:
        """Return the process id of a part: `api-0`, `api-1`, `worker` or `scorer`."""
        return self.processes[part].pid

    def stop(self, part: str) -> None:
        """End a part in order."""
        process = self.processes.pop(part)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def site(root: Path, *, embedded: bool = False, slots: int = 2) -> Iterator[Site]:
    """Start everything on free ports of the loopback; end it with the block."""
    with ExitStack() as stack:
        postgres = "" if embedded else stack.enter_context(postgres_server())
        redis = "" if embedded else stack.enter_context(redis_server())
        ports = [free_port() for _ in range(1 if embedded else 2)]
        settings = Settings(
            data_dir=root / "var", database_url=postgres, redis_url=redis, sandbox=SandboxKind.DOCKER, port=ports[0]
        )
        token = prepare(settings)["token"]
        database = Database(settings.resolved_database_url)
        stack.callback(database.dispose)
        with database.write() as session:
            bundle_store.publish(session, Blobs.from_settings(settings), make_tiny_bundle(root / "tiny"))
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        client = Client(urls[0], token)
        stack.callback(client.close)
        running = Site(settings, database, client, urls, root)
        stack.callback(_stop_all, running)
        _start_all(running, ports, slots)
        client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
        client.post(
            "/api/competitions/cup/phases", phase_of("tiny", seeds=SEEDS, shard_seeds=SEEDS, quota_per_day=1000)
        )
        yield running


def add_users(running: Site, count: int) -> list[User]:
    """Create participants, all with one password, so that it is hashed once."""
    hashed, key = hash_password(PASSWORD), running.settings.key()
    with running.database.write() as session:
        return [_add_user(session, name, hashed, key) for name in itertools.islice(_names(), count)]


def _add_user(session: WriteSession, name: str, hashed: str, key: bytes) -> User:
    account, team = Account(username=name, password_hash=hashed), Team(name=name)
    session.add_all([account, team])
    session.flush()
    session.add(TeamMember(team_id=team.id, account_id=account.id))
    return User(name, create_token(session, account, key, name="load"))


def _names() -> Iterator[str]:
    """Yield names that do not look alike."""
    letters = sorted(set(string.ascii_lowercase) - set("lioqvwm"))
    return ("user-" + "".join(word) for word in itertools.product(letters, repeat=3))


def _start_all(running: Site, ports: list[int], slots: int) -> None:
    settings = running.settings
    common = {
        PARENT: str(os.getpid()),
        "LETHE_DATA_DIR": str(settings.data_dir.resolve()),
        "LETHE_DATABASE_URL": settings.database_url,
        "LETHE_REDIS_URL": settings.redis_url,
        "LETHE_SANDBOX": settings.resolved_sandbox.value,
        "FORWARDED_ALLOW_IPS": "127.0.0.1",  # a user's address is what it says it is
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive",
    }
    for number, port in enumerate(ports):
        _start(running, f"api-{number}", "api", common | {"LETHE_PORT": str(port)})
    _start(running, "scorer", "scorer", common)
    own = {"LETHE_SANDBOX": SandboxKind.PROCESS.value, "LETHE_WORKER_SLOTS": str(slots)}
    _start(running, "worker", "worker", common | own)
    for url in running.urls:
        _await(running, url)


def _start(running: Site, name: str, part: str, environment: dict[str, str]) -> None:
    with (running.logs / f"{name}.log").open("ab") as log:
        running.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", part],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            start_new_session=True,
        )


def _await(running: Site, url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/api/health", timeout=2)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer. The logs are in {running.logs}.")


def _stop_all(running: Site) -> None:
    for part in list(running.processes):
        running.stop(part)

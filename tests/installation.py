"""A running installation: API, worker and scorer as their own processes, on either sandbox, over loopback."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from services.cli.client import Client
from services.cli.operator import prepare
from services.cli.stack import Stack
from services.core.bundle import store as bundle_store
from services.core.models import Competition
from services.core.settings import SandboxKind, Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database, utc_now
from tests.bundles import make_tiny_bundle
from tests.command import lethe
from tests.databases import migrated_sqlite


@dataclass
class Installation:
    """One stack. The fixture holds competition `cup` with a phase `feedback` on the tiny benchmark."""

    settings: Settings
    stack: Stack
    client: Client
    token: str
    database: Database

    def lethe(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the `lethe` command as the operator."""
        environment = {
            "LETHE_URL": self.stack.url,
            "LETHE_TOKEN": self.token,
            "LETHE_DATA_DIR": str(self.settings.data_dir),
        }
        return lethe(*arguments, check=check, **environment)

    def submit(self, source: str, directory: Path, *options: str, check: bool = True) -> dict[str, Any]:
        """Submit source code with the CLI; return what it printed as JSON."""
        path = directory / "entry.py"
        path.write_text(source)
        answer = self.lethe("submit", str(path), "-c", "cup", "-p", "feedback", "--json", *options, check=check)
        result: dict[str, Any] = json.loads(answer.stdout)
        return result


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def sandbox_kind() -> SandboxKind:
    return SandboxKind.PROCESS


@pytest.fixture
def seeds() -> int:
    """How many runs an entry has."""
    return 16


@pytest.fixture
def shard_seeds() -> int:
    """How many runs share a sandbox, whose start costs more than they do."""
    return 16


@pytest.fixture
def installation(
    tmp_path: Path, sandbox_kind: SandboxKind, seeds: int, shard_seeds: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """A whole installation for one test, which may break what it likes."""
    monkeypatch.setenv("LETHE_LEASE_S", "6")
    monkeypatch.setenv("LETHE_RENEW_EVERY_S", "0.5")
    with (
        running_installation(tmp_path, sandbox_kind) as running,
        fresh_cup(running, seeds=seeds, shard_seeds=shard_seeds) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def installation_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[SandboxKind], Installation]]:
    """Find the installation that all tests of a file share, one for each sandbox, started when it is first wanted."""
    with ExitStack() as started:

        @cache
        def running(kind: SandboxKind) -> Installation:
            return started.enter_context(running_installation(tmp_path_factory.mktemp(kind), kind))

        yield running


@contextmanager
def fresh_cup(running: Installation, **phase: Any) -> Iterator[Installation]:
    """Hold competition `cup`, and make room for another of its name at the end."""
    running.client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
    running.client.post("/api/competitions/cup/phases", phase_of("tiny", **phase))
    yield replace(running)
    with running.database.write() as session:
        session.execute(update(Competition).where(Competition.slug == "cup").values(slug=f"cup-{uuid4().hex}"))


@contextmanager
def running_installation(root: Path, sandbox_kind: SandboxKind) -> Iterator[Installation]:
    """Start all services in a directory of their own, the tiny benchmark published and no competition held.

    The database is the one that LETHE_DATABASE_URL names, migrated; or else SQLite.
    """
    settings = Settings(data_dir=root / "var", sandbox=sandbox_kind, port=free_port())
    database = Database(settings.database_url or migrated_sqlite(settings.data_dir / "lethe.db"))
    token = prepare(settings)["token"]
    with database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(settings), make_tiny_bundle(root / "tiny"))
    with Stack(settings) as stack:
        client = Client(stack.url, token)
        yield Installation(settings, stack, client, token, database)
        client.close()
    database.dispose()


def phase_of(benchmark: str, **changes: Any) -> dict[str, Any]:
    """Describe an open phase `feedback` as the API takes it."""
    return {
        "slug": "feedback",
        "kind": "feedback",
        "benchmark": benchmark,
        "closes_at": (utc_now() + timedelta(days=1)).isoformat(),
        "seeds": 16,
        "shard_seeds": 16,
        "quota_per_day": 100,
        "seed_timeout_s": 20,
        "data_hidden": False,
        "references": False,  # six evaluations more; tests of their own make them
    } | changes

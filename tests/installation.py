"""A running installation: API, worker and scorer as their own processes, on either sandbox, over loopback."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.client import Client
from services.cli.operator import prepare
from services.cli.stack import Stack
from services.core.bundle import store as bundle_store
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
def installation(tmp_path: Path, sandbox_kind: SandboxKind, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.setenv("LETHE_LEASE_S", "6")
    monkeypatch.setenv("LETHE_RENEW_EVERY_S", "0.5")
    with running_installation(tmp_path, sandbox_kind) as running:
        running.client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
        running.client.post("/api/competitions/cup/phases", phase_of("tiny"))
        yield running


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
        "seeds": 64,
        "shard_seeds": 16,
        "quota_per_day": 100,
        "seed_timeout_s": 20,
        "data_hidden": False,
    } | changes

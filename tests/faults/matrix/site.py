"""An installation on servers that can be broken one by one."""

import contextlib
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from services.core.settings import SandboxKind
from services.worker.backends import default_image, worker_name
from tests.databases import migrate_postgres_template, postgres_copy
from tests.faults.engine import OwnEngine, own_engine
from tests.faults.proxy import Proxy
from tests.installation import Installation, phase_of, running_installation
from tests.real_services import Server, postgres_to_kill, redis_to_kill, s3_environment, s3_server

SEEDS, SHARD_SEEDS = 8, 4
DISK_BYTES = 1280 * 1024**2  # a worker begins no shard with less than 1 GiB free


@dataclass
class Site:
    """An installation and the servers below it."""

    installation: Installation
    postgres: Server
    redis: Server
    blobs: Proxy
    sandbox: SandboxKind
    engine: OwnEngine | None
    clock: Path | None  # the file that moves the clocks of the services

    def pids(self, part: str) -> Iterator[int]:
        """Yield the process ids of a part: its process and, for Postgres, those of its connections."""
        pid = self._server(part).pid if part in ("postgres", "redis") else self.installation.stack.pid(part)
        yield pid
        if part == "postgres":
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            yield from map(int, children)

    def _server(self, part: str) -> Server:
        return self.postgres if part == "postgres" else self.redis


@contextlib.contextmanager
def site(root: Path, sandbox: SandboxKind) -> Iterator[Site]:
    """Start Postgres, Redis, S3 behind a proxy, a Docker engine if need be, and a whole installation on them."""
    durable = {"synchronous_commit": "on"}  # or Postgres itself may forget a commit when it is killed
    with (
        postgres_to_kill(**durable) as (server_url, postgres),
        redis_to_kill() as (redis_url, redis),
        s3_server() as s3_url,
        Proxy(s3_url) as proxy,
        own_engine(root / "engine", default_image()) if sandbox is SandboxKind.DOCKER else nullcontext() as engine,
    ):
        migrate_postgres_template(server_url)
        with postgres_copy(server_url) as database_url:
            os.environ |= s3_environment(proxy.url) | {
                "LETHE_DATABASE_URL": database_url,
                "LETHE_REDIS_URL": redis_url,
                "LETHE_BLOB_URL": f"s3://lethe/{uuid.uuid4().hex}",
                "LETHE_LEASE_S": "6",
                "LETHE_RENEW_EVERY_S": "0.5",
                "LETHE_SWEEP_EVERY_S": "1",
            }
            clock = movable_clock(root / "clock")
            with running_installation(root, sandbox) as running:
                running.client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
                phase = phase_of("tiny", seeds=SEEDS, shard_seeds=SHARD_SEEDS, quota_per_day=1000)
                running.client.post("/api/competitions/cup/phases", phase)
                yield Site(running, postgres, redis, proxy, sandbox, engine, clock)


def movable_clock(file: Path) -> Path | None:
    """Let services that start from now on read their clock's offset from a file; None without libfaketime."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is not None:
        file.write_text("+0\n")
        os.environ |= {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    return file if library else None


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[bool]:
    """Mount a small file system at a directory, which only root may do; yield whether there is one."""
    directory.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(directory)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(directory)], check=False)


def worker_label(place: Site) -> str:
    """Return the label of this installation's containers."""
    return worker_name(place.installation.settings.data_dir.resolve() / "work")

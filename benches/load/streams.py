"""Idle streams: what they cost an API process, and how soon an event reaches them all."""

import asyncio
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text

from benches.load.site import SUBMIT, Site, User
from benches.processes import resident_mb
from services.cli.client import Client

__all__ = ["PER_USER", "Streams", "hold"]

PER_USER = 20  # as many as one account may have
OPEN_AT_ONCE = 20
SETTLE_S = 5.0
ENTRY = b"STREAM = %d\n\ndef unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"


@dataclass
class Streams:
    """What idle streams of one API process cost."""

    streams: int
    refused: int
    mb_before: float
    mb: float
    threads_before: int
    threads: int
    connections: int  # of all services to the database
    told_s: float  # from a cancellation to its event on every stream of that submission


def hold(running: Site, users: list[User], count: int) -> Streams:
    """Open streams at the first API process, look at it, then cancel a submission. The worker must have ended."""
    _allow_files(count + 500)
    owners = users[: max(1, -(-count // PER_USER))]
    submissions = [_submit(running, user, number) for number, user in enumerate(owners)]
    return asyncio.run(_hold(running, list(zip(owners, submissions, strict=True)), count))


def _submit(running: Site, user: User, number: int) -> str:
    file = running.logs / "entry.py"
    file.write_bytes(ENTRY % number)
    client = Client(running.urls[0], user.token)
    try:
        answer = client.upload(SUBMIT, file, filename=file.name)
        return str(answer["id"])
    finally:
        client.close()


async def _hold(running: Site, owned: list[tuple[User, str]], count: int) -> Streams:
    pid = running.pid("api-0")
    before_mb, before_threads = resident_mb(pid), _threads(pid)
    gate = asyncio.Semaphore(OPEN_AT_ONCE)
    where = urlsplit(running.urls[0]).netloc
    opened = await asyncio.gather(*(_open(where, *owned[number % len(owned)], number, gate) for number in range(count)))
    streams = [one for one in opened if one]
    await asyncio.sleep(SETTLE_S)
    megabytes, threads, connections = resident_mb(pid), _threads(pid), _connections(running)
    user, submission = owned[0]
    followers = [reader for number, one in enumerate(opened) if one and number % len(owned) == 0 for reader in one[:1]]
    start = time.perf_counter()
    client = Client(running.urls[0], user.token)
    await asyncio.to_thread(client.post, f"/api/submissions/{submission}/cancel", {})
    await asyncio.gather(*(_until(reader, b"event: cancelled") for reader in followers))
    told_s = time.perf_counter() - start
    client.close()
    for _, writer in streams:
        writer.close()
    return Streams(
        streams=len(streams),
        refused=count - len(streams),
        mb_before=before_mb,
        mb=megabytes,
        threads_before=before_threads,
        threads=threads,
        connections=connections,
        told_s=told_s,
    )


async def _open(
    where: str, user: User, submission: str, number: int, gate: asyncio.Semaphore
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Open a stream; None if it was refused."""
    host, port = where.split(":")
    head = {
        "Host": where,
        "Authorization": f"Bearer {user.token}",
        "X-Forwarded-For": f"10.9.{number >> 6 & 255}.{number & 63}",
    }
    async with gate:
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"GET /api/submissions/{submission}/events HTTP/1.1\r\n{lines}\r\n".encode())
        status = (await reader.readline()).split(b" ", 2)
        if status[1:2] == [b"200"]:
            await _until(reader, b"event: queued")
            return reader, writer
    writer.close()
    return None


async def _until(reader: asyncio.StreamReader, line: bytes) -> None:
    while (got := await reader.readline()) and not got.startswith(line):
        pass


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _connections(running: Site) -> int:
    with running.database.read() as session:
        return int(
            session.execute(text("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL")).scalar_one()
        )


def _allow_files(count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard) if hard > 0 else count, hard))

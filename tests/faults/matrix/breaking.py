"""The faults, each a function that strikes a site."""

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator

import docker
from docker.models.containers import Container

from services.worker.sandbox.docker import LABEL_LEASE, LABEL_WORKER
from tests.faults.matrix.site import Site, worker_label
from tests.faults.proxy import Mode
from tests.real_services import Server

CLOCK_READ_S = 1.5  # until every service has read its new clock
DISTURBED_S = (1.0, 5.0)
PAUSED_S = (1.0, 10.0)

Fault = Callable[[Site, random.Random], None]


def killed(part: str) -> Fault:
    """Kill a service; the supervisor starts it again."""

    def strike(site: Site, _: random.Random) -> None:
        stack = site.installation.stack
        os.kill(stack.pid(part), signal.SIGKILL)
        while part not in stack.restart_dead():
            time.sleep(0.05)

    return strike


def server_killed(part: str) -> Fault:
    """Kill a server, and start it again after a moment."""

    def strike(site: Site, chance: random.Random) -> None:
        server: Server = getattr(site, part)
        server.kill()
        time.sleep(chance.uniform(*DISTURBED_S))
        server.start()

    return strike


def stopped(part: str) -> Fault:
    """Stop a part's processes for some seconds."""

    def strike(site: Site, chance: random.Random) -> None:
        pids = list(site.pids(part))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(chance.uniform(2, 10))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return strike


def worker_restarted(site: Site, _: random.Random) -> None:
    """Ask the worker to end, as an update does."""
    stack = site.installation.stack
    os.kill(stack.pid("worker"), signal.SIGTERM)
    while "worker" not in stack.restart_dead():
        time.sleep(0.05)


def container_killed(*, measurer: bool) -> Fault:
    """Kill a random container of this installation's worker."""

    def strike(site: Site, chance: random.Random) -> None:
        with some_container(site, chance, measurer=measurer) as container:
            container.kill()

    return strike


def container_paused(*, measurer: bool) -> Fault:
    """Pause a random container of this installation's worker for some seconds."""

    def strike(site: Site, chance: random.Random) -> None:
        with some_container(site, chance, measurer=measurer) as container:
            container.pause()
            time.sleep(chance.uniform(*PAUSED_S))
            container.unpause()

    return strike


@contextlib.contextmanager
def some_container(site: Site, chance: random.Random, *, measurer: bool) -> Iterator[Container]:
    """Yield a sandbox or a measurer of this installation's worker. That it ends meanwhile is no error."""
    engine = docker.from_env()
    with contextlib.closing(engine):
        name = worker_label(site)
        found = [
            container
            for container in engine.containers.list(filters={"label": LABEL_WORKER}, ignore_removed=True)
            if container.labels[LABEL_WORKER] == name
            and container.labels.get(LABEL_LEASE, "").startswith("measurer-") is measurer
        ]
        if not found:
            raise NothingToBreak
        with contextlib.suppress(docker.errors.APIError):
            yield chance.choice(found)


def engine_ended(how: signal.Signals) -> Fault:
    """End the Docker engine, and start it again after a moment. Its containers end, too."""

    def strike(site: Site, chance: random.Random) -> None:
        assert site.engine is not None
        site.engine.end(how)
        time.sleep(chance.uniform(*DISTURBED_S))
        site.engine.start()

    return strike


def clock_jumps(site: Site, chance: random.Random) -> None:
    """Set the clocks of API, worker and scorer to another time within a day; the database's stays."""
    assert site.clock is not None
    site.clock.write_text(f"{chance.randint(-86400, 86400):+d}\n")
    time.sleep(CLOCK_READ_S)


def disk_full(site: Site, chance: random.Random) -> None:
    """Take all free space of the data directory, which is a small file system of its own."""
    ballast = site.installation.settings.data_dir / "ballast"
    free = shutil.disk_usage(site.installation.settings.data_dir).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, free - 4096))
    time.sleep(chance.uniform(*DISTURBED_S))
    ballast.unlink()


def blobs(mode: Mode) -> Fault:
    """Let the blob store answer late, with errors, or not at all, for some seconds."""

    def strike(site: Site, chance: random.Random) -> None:
        site.blobs.mode = mode
        time.sleep(chance.uniform(*DISTURBED_S))
        site.blobs.mode = Mode.PASS

    return strike


class NothingToBreak(Exception):
    """There is nothing of the kind at the moment."""


FAULTS: dict[str, Fault] = {
    **{f"{part} killed": killed(part) for part in ("worker", "scorer", "api")},
    **{f"{part} killed": server_killed(part) for part in ("postgres", "redis")},
    **{f"{part} stopped": stopped(part) for part in ("worker", "scorer", "api", "postgres", "redis")},
    "worker restarted": worker_restarted,
    "blobs slow": blobs(Mode.SLOW),
    "blobs with errors": blobs(Mode.ERRORS),
    "blobs away": blobs(Mode.AWAY),
}
DOCKER_FAULTS: dict[str, Fault] = {
    **{f"{name} killed": container_killed(measurer=name == "measurer") for name in ("sandbox", "measurer")},
    **{f"{name} paused": container_paused(measurer=name == "measurer") for name in ("sandbox", "measurer")},
}
ENGINE_FAULTS: dict[str, Fault] = {
    "engine killed": engine_ended(signal.SIGKILL),
    "engine restarted": engine_ended(signal.SIGTERM),
}
DISK_FAULTS: dict[str, Fault] = {"disk full": disk_full}
CLOCK_FAULTS: dict[str, Fault] = {"clocks jump": clock_jumps}

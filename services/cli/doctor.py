"""`lethe doctor`: what is there, and what each absence means."""

import os
import platform
import shutil
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import print_json
from services.core.errors import LetheError

if TYPE_CHECKING:
    from services.core.settings import Settings

__all__ = ["docker_answer", "doctor"]

LOW_DISK_BYTES = 5 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    fine: bool
    needed: bool
    detail: str


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Say what is there (Docker, GPU, Redis, database, disk), and what each absence means.

    The exit status is 1 if something is missing that this installation is set up to use.
    """
    from services.core.settings import load_settings

    settings = load_settings()
    findings = [
        _machine(),
        *_docker(settings),
        _gpu(settings),
        _database(settings),
        *_workers(settings),
        _redis(settings),
        _disk(settings),
    ]
    if as_json:
        print_json([{"what": f.what, "fine": f.fine, "needed": f.needed, "detail": f.detail} for f in findings])
    else:
        for finding in findings:
            mark = "ok  " if finding.fine else "FAIL" if finding.needed else "no  "
            typer.echo(f"{mark} {finding.what:<12}{finding.detail}")
    if any(finding.needed and not finding.fine for finding in findings):
        raise typer.Exit(1)


def docker_answer() -> dict[str, Any] | None:
    """Ask the Docker engine for its version; None if no engine answers."""
    from docker.errors import DockerException

    from services.worker.sandbox.engine import open_engine

    try:
        with closing(open_engine(timeout_s=5)) as engine:
            version: dict[str, Any] = engine.version()
    except DockerException:
        return None
    return version


def _machine() -> Finding:
    return Finding(
        "machine", True, True, f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    )


def _docker(settings: "Settings") -> list[Finding]:
    from services.core.settings import SandboxKind

    needed = settings.resolved_sandbox is SandboxKind.DOCKER
    version = docker_answer()
    if version is None:
        meaning = (
            "no engine answers, but this installation uses Docker. Start the engine."
            if needed
            else "no engine answers. Submissions run as plain processes, which isolate nothing: "
            "only the operator may submit. Install Docker and run `lethe setup --again` to open sign-up."
        )
        return [Finding("docker", False, needed, meaning)]
    engine = Finding("docker", True, needed, f"engine {version['Version']}")
    if not needed:
        meaning = "this installation uses the process sandbox. Run `lethe setup --again` to use Docker."
        return [engine, Finding("sandbox", False, False, meaning)]
    return [engine, _image(settings)]


def _image(settings: "Settings") -> Finding:
    from services.worker.backends import default_image
    from services.worker.sandbox.image import image_exists

    image = settings.sandbox_image or default_image()
    if image_exists(image):
        return Finding("sandbox", True, True, f"Docker, image {image}")
    return Finding("sandbox", False, True, f"the image {image} is not built. Run `lethe setup`.")


def _gpu(settings: "Settings") -> Finding:
    from services.worker.slots import find_gpus

    found = find_gpus()
    if found:
        return Finding("gpu", True, False, f"{len(found)}: {', '.join(gpu.uuid for gpu in found)}")
    return Finding(
        "gpu", False, settings.gpus_only, "no NVIDIA GPU. Phases that need one wait for a worker with a GPU."
    )


def _database(settings: "Settings") -> Finding:
    from sqlalchemy.exc import SQLAlchemyError

    from services.core.store.database import Database

    kind = "SQLite" if settings.resolved_database_url.startswith("sqlite") else "Postgres"
    try:
        Database(settings.resolved_database_url).answers()
    except SQLAlchemyError as error:
        return Finding("database", False, True, f"{kind} does not answer: {str(error).splitlines()[0]}")
    hint = "" if kind == "Postgres" else ". Only an installation on several machines needs Postgres."
    return Finding("database", True, True, f"{kind} answers{hint}")


def _workers(settings: "Settings") -> list[Finding]:
    """Say which workers the database knows, and whether the one of this data directory still moves."""
    from sqlalchemy.exc import SQLAlchemyError

    from services.core import heartbeat
    from services.core.queue.workers import all_workers, is_gone
    from services.core.store.database import Database

    found, age = [], heartbeat.age_s(settings, "worker")
    if age is not None and not heartbeat.is_alive(settings, "worker"):
        meaning = f"this data directory's worker has not moved for {age:.0f} s. Restart it."
        found.append(Finding("worker", False, True, meaning))
    try:
        with Database(settings.resolved_database_url).read() as session:
            workers = all_workers(session)
    except SQLAlchemyError:
        return found  # the database has a finding of its own, or is not migrated yet
    gone = [worker.name for worker in workers if is_gone(worker)]
    detail = f"{len(workers) - len(gone)} alive" + (f"; gone: {', '.join(gone)}" if gone else "")
    return [*found, Finding("workers", len(workers) > len(gone), False, detail)]


def _redis(settings: "Settings") -> Finding:
    if settings.embedded:
        meaning = "not configured, so worker and scorer look at the database twice a second."
        return Finding("redis", False, False, meaning)
    from redis import Redis, RedisError

    try:
        Redis.from_url(settings.resolved_redis_url, socket_connect_timeout=3).ping()
    except RedisError as error:
        # Not the URL, which may hold a password: this output is the container's health, which everybody can read.
        return Finding(
            "redis", False, True, f"the server of LETHE_REDIS_URL does not answer: {error}. Work starts late."
        )
    return Finding("redis", True, True, "answers")


def _disk(settings: "Settings") -> Finding:
    try:
        free = shutil.disk_usage(settings.make_data_dir()).free
    except OSError as error:
        raise LetheError(f"{settings.data_dir} cannot be used: {error}") from error
    fine = free > LOW_DISK_BYTES
    meaning = "" if fine else " Workers stop claiming below 1 GiB."
    return Finding("disk", fine, False, f"{free / 2**30:.0f} GiB free in {settings.data_dir}.{meaning}")

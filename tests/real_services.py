"""Real servers for tests: PostgreSQL and Redis from the machine's packages, S3 from PyPI, each on a free loopback port.

Every server lives in its own temporary directory and is ended by its process id; should the tests be killed, the
kernel ends it with them. A missing program skips the test, except in CI, where everything must run.
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis

__all__ = [
    "Server",
    "missing",
    "postgres_server",
    "postgres_to_kill",
    "redis_server",
    "redis_to_kill",
    "s3_environment",
    "s3_server",
]

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 30.0
POSTGRES_USER = "postgres"
POSTGRES_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class Server:
    """A running server, which a test may kill and start again on the same port and directory."""

    def __init__(self, command: list[str], directory: Path, answers: Callable[[], bool]) -> None:
        self._command, self._directory, self._answers = command, directory, answers
        self._environment = dict(os.environ)  # it starts again as it did first, whatever the test sets meanwhile
        self._log = directory / "log"
        self._process = self._launch()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def kill(self) -> None:
        """End the server as a power cut would, and wait for its end."""
        self._process.kill()
        self._process.wait()

    def start(self) -> None:
        """Start the server again after `kill`; try again while what it left is in the way."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._process = self._launch()
            if self._answers():
                return
            time.sleep(0.1)
        self.await_answer()

    def await_answer(self) -> None:
        """Wait until the server answers; fail the test with its log if it does not."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.02)
        log = self._log.read_text(errors="replace")
        pytest.fail(f"{self._command!r} did not start. Its log:\n{log}", pytrace=False)

    def stop(self, stop_signal: int) -> None:
        """Ask the server to end; kill it if it does not."""
        self._process.send_signal(stop_signal)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()

    def _launch(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                env=self._environment,
                start_new_session=True,
            )


def missing(what: str, install: str) -> NoReturn:
    """Skip the test for want of a program; fail it in CI."""
    message = f"{what} is missing. Install it: {install}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL server without durability; yield the SQLAlchemy URL of its `postgres` database."""
    with postgres_to_kill() as (url, _):
        yield url


@contextmanager
def postgres_to_kill(**changes: str) -> Iterator[tuple[str, Server]]:
    """Run a PostgreSQL server with changed options; yield the URL of its `postgres` database and the server."""
    binaries = _postgres_binaries()
    port = _free_port()
    with _directory() as directory:
        prefix = _as_ordinary_user(directory)
        data = str(directory / "data")
        initdb = [str(binaries / "initdb"), "-D", data, "-U", POSTGRES_USER, "-A", "trust", "-E", "UTF8"]
        _run([*prefix, *initdb, "--locale=C", "--no-sync"])
        options = [f"--{name}={value}" for name, value in {**POSTGRES_OPTIONS, "port": str(port), **changes}.items()]
        command = [*prefix, str(binaries / "postgres"), "-D", data, *options]
        url = f"postgresql+psycopg://{POSTGRES_USER}@{LOOPBACK}:{port}/postgres"
        with _server(command, directory, lambda: _postgres_answers(port), stop_signal=signal.SIGQUIT) as server:
            yield url, server


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis server that keeps nothing; yield its URL."""
    with redis_to_kill() as (url, _):
        yield url


@contextmanager
def redis_to_kill() -> Iterator[tuple[str, Server]]:
    """Run a Redis server that keeps nothing; yield its URL and the server."""
    binary = shutil.which("redis-server") or missing("redis-server", "apt-get install redis-server")
    port = _free_port()
    with _directory() as directory:
        options = {"bind": LOOPBACK, "port": str(port), "save": "", "appendonly": "no", "dir": str(directory)}
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        command = [*_as_ordinary_user(directory), binary, *arguments]
        with _server(command, directory, lambda: _redis_answers(port), stop_signal=signal.SIGTERM) as server:
            yield f"redis://{LOOPBACK}:{port}/0", server


@contextmanager
def s3_server() -> Iterator[str]:
    """Run an S3 server that keeps nothing, with the bucket `lethe`; yield its address."""
    port = _free_port()
    url = f"http://{LOOPBACK}:{port}"
    with _directory() as directory:
        setpriv = shutil.which("setpriv") or missing("setpriv", "apt-get install util-linux")
        command = [setpriv, "--pdeathsig", "KILL", sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
        with _server(command, directory, lambda: _s3_answers(url), stop_signal=signal.SIGTERM):
            urllib.request.urlopen(urllib.request.Request(f"{url}/lethe", method="PUT"), timeout=10).close()
            yield url


def s3_environment(url: str) -> dict[str, str]:
    """Give the variables by which clients of S3 find a server and its keys."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def _postgres_binaries() -> Path:
    """The newest of Debian's versions, which are not on the PATH, or whatever is."""
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb") or missing("PostgreSQL", "apt-get install postgresql")
    return Path(on_path).resolve().parent


def _as_ordinary_user(directory: Path) -> list[str]:
    """The words that run a command without root, since PostgreSQL refuses it, and end it with this process."""
    setpriv = shutil.which("setpriv") or missing("setpriv", "apt-get install util-linux")
    prefix = [setpriv, "--pdeathsig", "KILL"]
    if os.geteuid() != 0:
        return prefix
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam(POSTGRES_USER if POSTGRES_USER in names else "nobody")
    os.chown(directory, user.pw_uid, user.pw_gid)
    group = grp.getgrgid(user.pw_gid).gr_name
    return [*prefix, f"--reuid={user.pw_name}", f"--regid={group}", "--clear-groups"]


def _postgres_answers(port: int) -> bool:
    try:
        psycopg.connect(host=LOOPBACK, port=port, user=POSTGRES_USER, dbname="postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    with redis.Redis(host=LOOPBACK, port=port) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _s3_answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/moto-api/", timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def _server(command: list[str], directory: Path, answers: Callable[[], bool], stop_signal: int) -> Iterator[Server]:
    server = Server(command, directory, answers)
    try:
        server.await_answer()
        yield server
    finally:
        server.stop(stop_signal)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}", pytrace=False)


@contextmanager
def _directory() -> Iterator[Path]:
    """A directory that another user may own; pytest's own lies behind one that only its user may enter."""
    with tempfile.TemporaryDirectory(prefix="lethe-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port

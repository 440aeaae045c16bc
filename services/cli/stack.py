"""The supervisor of the embedded setting: API, worker and scorer as child processes, restarted when they die.

Children ask the kernel to end them with this process, so nothing is left behind even after `kill -9`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from services.core.errors import Unavailable

if TYPE_CHECKING:
    from services.core.settings import Settings

__all__ = ["NotStarted", "Stack", "end_with_parent"]

PARTS = ("api", "worker", "scorer")
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 40.0
RESTART_AFTER_S = 1.0
PARENT = "LETHE_PARENT_PID"


class NotStarted(Unavailable):
    code = "not_started"


class Stack:
    """All services of one installation, for as long as the block lasts."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self.url = f"http://{settings.host}:{settings.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        self._refuse_taken_port()
        try:
            for part in PARTS:
                self._start(part)
            self.await_api()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def log_file(self, part: str) -> Path:
        """Return the file that a service writes its log to."""
        return self.settings.data_dir / "logs" / f"{part}.log"

    def pid(self, part: str) -> int:
        """Return the process id of a service."""
        return self._processes[part].pid

    def restart_dead(self) -> list[str]:
        """Restart the services that have died; return their names."""
        dead = [part for part, process in self._processes.items() if process.poll() is not None]
        for part in dead:
            time.sleep(RESTART_AFTER_S)
            self._start(part)
        return dead

    def _start(self, part: str) -> None:
        log_file = self.log_file(part)
        log_file.parent.mkdir(parents=True, exist_ok=True)
        if part not in self._logs:
            self._logs[part] = log_file.open("ab")
        self._processes[part] = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", part],
            stdin=subprocess.DEVNULL,
            stdout=self._logs[part],
            stderr=subprocess.STDOUT,
            env=os.environ | _environment(self.settings) | {PARENT: str(os.getpid())},
            start_new_session=True,  # Ctrl-C reaches only this process, which then stops the others in order
        )

    def _refuse_taken_port(self) -> None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{self.url}/api/health", timeout=2)  # noqa: S310 - our own address
            raise NotStarted(
                f"Another program already answers at {self.url}. Stop it, or set LETHE_PORT to a free port."
            )

    def await_api(self) -> None:
        """Wait until the API answers. Raises NotStarted, with the end of its log, if it does not."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._processes["api"].poll() is not None:
                break
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/api/health", timeout=2)  # noqa: S310
                return
            time.sleep(0.1)
        tail = self.log_file("api").read_text(errors="replace")[-1500:]
        raise NotStarted(f"The API did not start at {self.url}; its log ends with:\n{tail}")

    def _stop(self) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in self._processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for file in self._logs.values():
            file.close()


def end_with_parent() -> None:
    """Ask the kernel to end this process if the supervisor that started it is gone."""
    import ctypes

    parent = os.environ.get(PARENT)
    if parent is None:
        return
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != int(parent):
        raise SystemExit(1)


def _environment(settings: "Settings") -> dict[str, str]:
    """Return the settings as variables for the services, wherever they were read from."""
    return {
        "LETHE_DATA_DIR": str(settings.data_dir.resolve()),
        "LETHE_HOST": settings.host,
        "LETHE_PORT": str(settings.port),
        **({"LETHE_SANDBOX": settings.sandbox.value} if settings.sandbox else {}),
    }

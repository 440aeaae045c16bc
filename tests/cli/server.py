"""A server that tests of the command start, kill and start again, and a line to it that loses answers."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from services.core.settings import Settings
from tests.api.harness import KEY
from tests.installation import free_port

__all__ = ["Killable", "losing_answers"]

ROOT = Path(__file__).parents[2]


@dataclass
class Killable:
    """`lethe api` in a process of its own, always at the same address."""

    settings: Settings
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "LETHE_DATABASE_URL": self.settings.resolved_database_url,
            "LETHE_DATA_DIR": str(self.settings.data_dir),
            "LETHE_SANDBOX": "docker",
            "LETHE_SECRET_KEY": KEY,
            "LETHE_PORT": str(self.port),
        }
        command = [sys.executable, "-m", "services.cli.main", "api"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            with suppress(httpx2.HTTPError):
                httpx2.get(f"{self.url}/api/health")
                return
            time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@contextmanager
def losing_answers(port: int, times: int) -> Iterator[str]:
    """Pass connections on to a server. The first answers to uploads get lost on the way back; yield the address."""
    left = [times]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port, left), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert left == [0]


def _accept(listener: socket.socket, port: int, left: list[int]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_pass_on, args=(client, port, left), daemon=True).start()


def _pass_on(client: socket.socket, port: int, left: list[int]) -> None:
    uploading = threading.Event()
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        threading.Thread(target=_ask, args=(client, server, uploading), daemon=True).start()
        with suppress(OSError):
            while answer := server.recv(65536):
                if uploading.is_set() and left[0]:
                    left[0] -= 1
                    break
                client.sendall(answer)
        for side in (client, server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)  # wakes the other thread; closing alone would not


def _ask(client: socket.socket, server: socket.socket, uploading: threading.Event) -> None:
    with suppress(OSError):
        while asked := client.recv(65536):
            if asked.startswith(b"POST ") and b"/submissions?" in asked:
                uploading.set()
            server.sendall(asked)
        server.shutdown(socket.SHUT_WR)

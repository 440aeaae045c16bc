"""A TCP proxy before a server; before one of HTTP it can be slow, answer with errors, or refuse connections.

Before any server it can hold back what clients send.
"""

import contextlib
import socket
import threading
import time
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

__all__ = ["Mode", "Proxy"]

DELAY_S = 2.0
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CHUNK = 65536


class Mode(StrEnum):
    """How the proxy treats requests."""

    PASS = "pass"
    SLOW = "slow"
    ERRORS = "errors"
    AWAY = "away"
    HELD = "held"  # what clients send is passed on once the mode ends; answers are


class Proxy:
    """Forwards from a port of its own, by default on the loopback, to one address, for as long as the block lasts."""

    def __init__(self, target: str, *, address: str = "127.0.0.1") -> None:
        parts = urlsplit(target)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server((address, 0))
        self.url = f"http://{address}:{self._listener.getsockname()[1]}"
        self.mode = Mode.PASS
        self.hold_at = b""  # with the first request that has these bytes the mode HELD begins

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            while data := client.recv(CHUNK):
                if self.hold_at and self.hold_at in data:
                    self.mode = Mode.HELD
                if self.mode is Mode.SLOW:
                    time.sleep(DELAY_S)
                elif self.mode is Mode.ERRORS:
                    client.sendall(REFUSAL)
                    return
                elif self.mode is Mode.AWAY:
                    return
                while self.mode is Mode.HELD:
                    time.sleep(0.02)
                server.sendall(data)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)

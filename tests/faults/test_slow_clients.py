"""Clients that keep the server waiting, over real sockets: each is let go, and others are served meanwhile."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from services.api import connections
from services.api.kit import deadlines
from tests.api.harness import Served, make_settings, serving

HEAD = b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
PATIENCE_S = 60  # of a test: the server gives up long before


@pytest.fixture
def served(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server whose patience is short."""
    monkeypatch.setattr(connections, "REQUEST_S", 0.5)
    monkeypatch.setattr(connections, "STALLED_S", 0.5)
    monkeypatch.setattr(deadlines, "GRACE_S", 0.5)
    with serving(make_settings(tmp_path, sqlite_url)) as served:
        yield served


def connect(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE_S)


def drip(client: socket.socket, byte: bytes = b"x") -> bytes:
    """Send a byte now and then until the server closes; return what it said."""
    said = b""
    client.settimeout(0.05)
    for _ in range(PATIENCE_S * 20):
        try:
            client.sendall(byte)
            got = client.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return said
        if not got:
            return said
        said += got
    raise AssertionError("the server waits for ever")


def answers(served: Served) -> bool:
    return httpx2.get(f"{served.url}/api/health", timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize("start", [b"", b"GET /api/health HTTP/1.1\r\nX: "], ids=["first byte", "header"])
def test_a_head_that_comes_byte_by_byte_is_not_awaited(served: Served, start: bytes) -> None:
    with connect(served) as client:
        client.sendall(start)
        assert drip(client) == b""
    assert answers(served)


def test_a_connection_that_says_nothing_is_closed(served: Served) -> None:
    with connect(served) as client:
        assert client.recv(1) == b""


def test_a_second_head_has_a_deadline_too(served: Served) -> None:
    with connect(served) as client:
        client.sendall(b"GET /api/installation HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /api/installation HTTP/1.1\r\nX: ")
        drip(client)
    assert answers(served)


@pytest.mark.parametrize("length", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_a_body_that_comes_byte_by_byte_is_answered_with_408(served: Served, length: bytes) -> None:
    byte = b"1\r\nx\r\n" if b"chunked" in length else b"x"
    with connect(served) as client:
        client.sendall(HEAD + length + b"\r\n\r\n")
        head, _, body = drip(client, byte).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["code"] == "too_slow"
    assert answers(served)


def test_a_steady_body_may_take_longer_than_the_grace_period(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes earn it time: 200 of them a second each, at the rate of this test."""
    monkeypatch.setattr(deadlines, "LEAST_BYTES_PER_S", 1)
    body = json.dumps({"username": "ada", "password": "correct horse battery"}).encode()
    with connect(served) as client:
        client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
        for byte in range(0, len(body), 10):
            client.sendall(body[byte : byte + 10])
            time.sleep(0.2)
        assert client.recv(65536).startswith(b"HTTP/1.1 401")


def test_the_rest_of_a_body_that_is_answered_already_is_not_awaited(served: Served) -> None:
    with connect(served) as client:
        client.sendall(b"POST /api/teams HTTP/1.1\r\nHost: nobody.example\r\nContent-Length: 100000\r\n\r\n")
        assert drip(client).startswith(b"HTTP/1.1 421")
    assert answers(served)


def test_a_client_that_does_not_read_is_let_go(served: Served) -> None:
    """It asks for pages, one after another, and reads none, until nothing more fits between it and the server."""
    with connect(served) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ask = b"GET /api/docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with pytest.raises(ConnectionError):
            for _ in range(PATIENCE_S * 20):
                client.sendall(ask)
                time.sleep(0.05)
    assert answers(served)


def test_more_connections_than_allowed_are_told_to_come_back(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(connections, "REQUEST_S", 5.0)
    with ExitStack() as stack:
        held = [stack.enter_context(connect(served)) for _ in range(3)]
        for client in held:
            client.sendall(b"GET /")
        time.sleep(0.2)
        with connect(served) as one_more:
            said = one_more.recv(65536)
        assert said.startswith(b"HTTP/1.1 503") and b"Retry-After: 5" in said
        for client in held:
            client.close()
    for _ in range(100):
        with connect(served) as client:
            client.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if client.recv(65536).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.05)
    raise AssertionError("places do not come back")

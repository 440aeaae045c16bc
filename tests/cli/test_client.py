"""What the command does with refusals that pass."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.cli.client import Client, ServerProblem

FILE = b"def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"


@contextmanager
def refusing(code: str, times: int) -> Iterator[tuple[str, list[bytes]]]:
    """Serve on the loopback: refuse so many uploads, then take one. Yield the address and the bodies that came."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            refused = len(bodies) <= times
            body = json.dumps({"code": code} if refused else {"id": "1"}).encode()
            self.send_response(503 if refused else 201)
            self.send_header("Content-Type", "application/problem+json" if refused else "application/json")
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()


def upload(url: str, directory: Path) -> object:
    file = directory / "entry.py"
    file.write_bytes(FILE)
    with closing(Client(url, None)) as client:
        return client.upload("/upload", file)


def test_an_upload_that_meets_a_crowd_is_sent_whole_again(tmp_path: Path) -> None:
    with refusing("overloaded", times=2) as (url, bodies):
        assert upload(url, tmp_path) == {"id": "1"}

    assert bodies == [FILE] * 3


def test_another_refusal_is_not_repeated(tmp_path: Path) -> None:
    with refusing("database_unavailable", times=1) as (url, bodies), pytest.raises(ServerProblem):
        upload(url, tmp_path)

    assert bodies == [FILE]

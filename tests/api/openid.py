"""Providers on the loopback interface: a real one in a process of its own, and one that answers as a test tells it."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey

__all__ = ["KEY", "Rogue", "let_in", "real_provider", "rogue_provider"]

KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


@contextmanager
def real_provider() -> Iterator[str]:
    """Run oidc-provider-mock; yield its issuer."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    issuer = f"http://localhost:{port}"
    try:
        for _ in range(300):
            try:
                httpx2.get(issuer + "/.well-known/openid-configuration").raise_for_status()
                break
            except httpx2.HTTPError:
                assert process.poll() is None
                time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(30)


def let_in(url: str, subject: str) -> dict[str, str]:
    """Sign in at the real provider as somebody; return what it gives the browser along."""
    answer = httpx2.post(url, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    found = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert set(found) == {"code", "state"}
    return found


class Rogue:
    """Answers well, until a test changes something."""

    def __init__(self) -> None:
        self.issuer = ""
        self.document: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
            {"alg": "RS256", "kid": "one"}, claims, KEY
        )
        self.answer: Callable[[BaseHTTPRequestHandler], bool] = lambda _handler: False  # in place of what follows
        self.asked: list[tuple[str, dict[str, str]]] = []

    def begin(self, url: str) -> dict[str, str]:
        """Read what a browser brings from the app, and prepare a token for it."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        now = int(time.time())
        right = {"iss": self.issuer, "aud": query["client_id"], "sub": "s-1", "iat": now, "exp": now + 300}
        self.claims = right | {"nonce": query["nonce"]}
        return query

    def json(self, path: str) -> Any:
        path = path.partition("?")[0]
        if path == "/token":
            return {"id_token": self.sign(self.claims), "token_type": "Bearer", "access_token": "x"}
        if path == "/jwks":
            return {"keys": [KEY.as_dict(private=False), {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "?"}]}
        endpoints = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token")}
        return {"issuer": self.issuer, "jwks_uri": self.issuer + "/jwks"} | endpoints | self.document


@contextmanager
def rogue_provider() -> Iterator[Rogue]:
    rogue = Rogue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            rogue.asked.append((self.path, dict(parse_qsl(self.rfile.read(length).decode()))))
            if rogue.answer(self):
                return
            data = json.dumps(rogue.json(self.path)).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.rogue = rogue  # type: ignore[attr-defined]
    rogue.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield rogue
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)

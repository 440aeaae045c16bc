"""Talking to a Lethe server, and remembering who you are there."""

import json
import os
import time
import weakref
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from services.cli.endings import Ending
from services.core.errors import BadInput, LetheError, Unavailable

if TYPE_CHECKING:
    from httpx2 import Response

__all__ = ["Client", "NoSuchFile", "NotLoggedIn", "ServerProblem", "Unreachable", "open_client", "save_credentials"]

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 30.0
READ_TIMEOUT_S = 120.0
NEWER_BOARD_WITHIN_S = 15.0
POLL_S = 0.5
WAITED_FOR = {"standings_not_ready", "final_preview_not_ready", "overloaded"}  # refused before anything was done
MAX_TRIES = 300
AWAY = {502, 503, 504}  # what a server that restarts says, or the proxy before it


class ServerProblem(LetheError):
    """What the server refused, in its own words; `problem` is the whole problem+json."""

    code = "server_problem"

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem.get('detail') or problem.get('title')} ({problem.get('code')})")
        self.problem = problem

    @property
    def ending(self) -> Ending:
        """Tell a refusal from a token that is not known, and from a server that has no time now."""
        status = self.problem.get("status")
        if status == 401:
            return Ending.SIGNED_OUT
        return Ending.UNREACHABLE if status in AWAY else Ending.REFUSED

    @property
    def reason(self) -> str:
        """Say in a few words why there is no answer."""
        return str(self.problem.get("detail") or self.problem.get("title")).rstrip(".")


class Unreachable(Unavailable):
    code = "unreachable"
    ending = Ending.UNREACHABLE

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"{url} does not answer ({reason}). Check the address and your network. "
            "If it is your own installation, start it with `lethe up`."
        )
        self.reason = reason.rstrip(".")


class NotLoggedIn(BadInput):
    code = "not_logged_in"
    ending = Ending.SIGNED_OUT


class NoSuchFile(BadInput):
    code = "no_such_file"
    ending = Ending.USAGE


class Client:
    """One server, as one account."""

    def __init__(self, url: str, token: str | None) -> None:
        import httpx2

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url
        self._http = httpx2.Client(
            base_url=url, headers=headers, timeout=httpx2.Timeout(TIMEOUT_S, read=READ_TIMEOUT_S)
        )
        weakref.finalize(self, self._http.close)  # a command ends in many ways

    def close(self) -> None:
        """Close the connections to the server."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON at a path. Raises ServerProblem."""
        return self._request("GET", path, params=_given(params))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send JSON to a path and return the answer. Raises ServerProblem."""
        return self._request("POST", path, json=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Send changes to a path and return the answer. Raises ServerProblem."""
        return self._request("PATCH", path, json=body)

    def put(self, path: str, body: dict[str, Any] | None = None, **params: Any) -> Any:
        """Put what a path names, or the body, in its place and return the answer. Raises ServerProblem."""
        return self._request("PUT", path, json=body, params=_given(params))

    def read(self, path: str) -> bytes:
        """Return the bytes at a path. Raises ServerProblem."""
        return self._send("GET", path).content

    def delete(self, path: str) -> Any:
        """Remove what a path names and return the answer. Raises ServerProblem."""
        return self._request("DELETE", path)

    def put_file(self, path: str, file: Path) -> Any:
        """Put a file in the place of what a path names and return the answer. Raises ServerProblem."""
        with file.open("rb") as content:
            headers = {"Content-Length": str(file.stat().st_size), "Content-Type": "application/octet-stream"}
            return self._request("PUT", path, content=content, headers=headers)

    def put_bytes(self, path: str, data: bytes, **params: Any) -> Any:
        """Put bytes in the place of what a path names and return the answer. Raises ServerProblem."""
        headers = {"Content-Length": str(len(data)), "Content-Type": "application/octet-stream"}
        return self._request("PUT", path, content=BytesIO(data), headers=headers, params=_given(params))

    def upload(self, path: str, file: Path, *, key: str | None = None, **params: Any) -> Any:
        """Send a file as the body of a request. With the same `key` it counts once, however often it is sent."""
        with file.open("rb") as content:
            headers = {"Content-Length": str(file.stat().st_size)} | ({"Idempotency-Key": key} if key else {})
            return self._request("POST", path, params=_given(params), content=content, headers=headers)

    def download(self, path: str, file: Path) -> int:
        """Write what a path answers to a new file, part by part; return its size. Raises ServerProblem."""
        import httpx2

        partial = file.with_name(f".{file.name}.part")
        try:
            with self._http.stream("GET", path) as answer, partial.open("wb") as out:
                if answer.is_error:
                    answer.read()
                    raise ServerProblem(_problem(answer))
                size = sum(out.write(part) for part in answer.iter_bytes())
            partial.rename(file)
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self.url} ended the download ({error}). Try again.") from error
        finally:
            partial.unlink(missing_ok=True)
        return size

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page after page."""
        page = self.get(path, **params)
        yield from page["items"]
        while page["next"]:
            page = self.get(path, **params, after=page["next"])
            yield from page["items"]

    def parts(self, path: str, **params: Any) -> Iterator[str]:
        """Yield a text part after part, as long as the header `Link` names a next one."""
        answer = self._send("GET", path, params=_given(params))
        yield answer.text
        while following := answer.links.get("next"):
            answer = self._send("GET", path + following["url"])
            yield answer.text

    def board(self, path: str) -> list[dict[str, Any]]:
        """Return the entries of a leaderboard; if it has just changed, wait a moment for the newer one."""
        give_up_at = time.monotonic() + NEWER_BOARD_WITHIN_S
        while self.get(path, limit=1)["behind"] and time.monotonic() < give_up_at:
            time.sleep(POLL_S)
        return list(self.pages(path))

    def _request(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self._send(method, path, **arguments)
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, *, content: IO[bytes] | None = None, **arguments: Any) -> "Response":
        """Send a request, again if the server asks to wait. Raises ServerProblem."""
        problem: dict[str, Any] = {}
        for _ in range(MAX_TRIES):
            if content is not None:
                content.seek(0)
            answer = self._send_once(method, path, content=content, **arguments)
            if not answer.is_error:
                return answer
            problem = _problem(answer)
            if problem.get("code") not in WAITED_FOR:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        raise ServerProblem(problem)

    def _send_once(self, method: str, path: str, **arguments: Any) -> "Response":
        import httpx2

        try:
            return self._http.request(method, path, **arguments)
        except httpx2.HTTPError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from error


def open_client(url: str | None = None, *, signed_in: bool = True) -> Client:
    """Open a client by LETHE_URL and LETHE_TOKEN, or by the saved login of `lethe login`.

    Raises NotLoggedIn if there is neither, unless it is for what everybody may see.
    """
    saved = _saved()
    address = url or os.environ.get("LETHE_URL") or saved.get("url") or DEFAULT_URL
    token = os.environ.get("LETHE_TOKEN") or (saved.get("token") if saved.get("url") == address else None)
    if signed_in and not token:
        raise NotLoggedIn(f"You are not logged in at {address}. Run `lethe login`, or set LETHE_TOKEN.")
    return Client(address, token)


def save_credentials(url: str, token: str) -> Path:
    """Remember a login, in a file that only its owner can read."""
    path = _credentials_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": url, "token": token}, file)
    return path


def _saved() -> dict[str, str]:
    try:
        saved: dict[str, str] = json.loads(_credentials_file().read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BadInput(f"{_credentials_file()} is damaged. Delete it and run `lethe login` again.") from error
    return saved


def _credentials_file() -> Path:
    root = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(root) / "lethe" / "credentials.json"


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _problem(answer: "Response") -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {"title": f"The server answered {answer.status_code}", "code": "no_problem_json"}
    return problem | {"status": answer.status_code}

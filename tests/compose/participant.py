"""A participant of a running project: signs in, submits, waits and watches, while services come and go."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from services.cli.client import Client
from services.core.errors import LetheError
from tests.compose.project import Project

__all__ = ["CREDENTIALS", "Participant", "Seen"]

CREDENTIALS = {"username": "newcomer", "password": "correct horse battery"}
DEADLINE_S = 600.0
TERMINAL = ("scored", "failed", "cancelled")
PHASE = "/api/competitions/cup/phases/feedback"


@dataclass(frozen=True, slots=True)
class Seen:
    """An event, as a watcher got it."""

    number: int
    kind: str


@dataclass(frozen=True, slots=True)
class Participant:
    """Who signed up, with what a browser would hold."""

    client: Client
    token: str

    @classmethod
    def log_in(cls, project: Project) -> "Participant":
        token = project.client(None).post("/api/sessions", CREDENTIALS)["token"]
        return cls(project.client(token), token)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def submit(self, source: str, *, request: str = "") -> dict[str, Any]:
        """Submit a module; `request` is the id that the logs will know the request by."""
        answer = httpx2.post(
            f"{self.client.url}{PHASE}/submissions",
            params={"filename": "entry.py"},
            content=source.encode(),
            headers=self.headers | ({"X-Request-ID": request} if request else {}),
            timeout=60,
        )
        assert answer.status_code == 201, answer.text
        submission: dict[str, Any] = answer.json()
        return submission

    def show(self, submission: str) -> dict[str, Any]:
        """Ask for a submission; again, while the API is on its way down or up."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                shown: dict[str, Any] = self.client.get(f"/api/submissions/{submission}")
                return shown
            except LetheError:
                assert time.monotonic() < deadline, "the API does not come back"
                time.sleep(0.5)

    def board(self) -> list[dict[str, Any]]:
        """Read the leaderboard, once it shows everything that was scored."""
        path, deadline = f"{PHASE}/leaderboard", time.monotonic() + DEADLINE_S
        while self.client.get(path, limit=1)["behind"]:
            assert time.monotonic() < deadline, "the leaderboard stays behind"
            time.sleep(0.5)
        return self.client.board(path)

    def await_seeds(self, submission: str, seeds: int) -> None:
        """Wait until so many seeds are done, and the others are not."""
        deadline = time.monotonic() + DEADLINE_S
        while (shown := self.show(submission))["seeds_done"] < seeds:
            assert shown["state"] in {"queued", "running"}, shown
            assert time.monotonic() < deadline, f"{shown['seeds_done']} of {seeds} in time"
            time.sleep(0.2)
        assert shown["state"] == "running", "too fast to be hurt in its midst"

    def watch(self, submission: str) -> list[Seen]:
        """Follow the event stream to its end, as a browser does: reconnecting, after the last event seen."""
        seen: list[Seen] = []
        deadline = time.monotonic() + DEADLINE_S
        url = f"{self.client.url}/api/submissions/{submission}/events"
        while not seen or seen[-1].kind not in TERMINAL:
            assert time.monotonic() < deadline, seen
            last = {"Last-Event-ID": str(seen[-1].number)} if seen else {}
            with (
                contextlib.suppress(httpx2.HTTPError),
                httpx2.stream("GET", url, headers=self.headers | last, timeout=30) as answer,
            ):
                for number, kind in _events(answer.iter_lines()):
                    seen.append(Seen(number, kind))
            time.sleep(0.3)
        return seen


def _events(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Read numbers and kinds. An empty line ends an event, and its fields come in any order."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
            continue
        if "event" in fields:
            yield int(fields["id"]), fields["event"]
        fields = {}

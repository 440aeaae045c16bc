"""Users, as locust plays them. `stage.py` starts this file in a process of its own and reads what it leaves.

Each user reads, waits one to three seconds, and reads on; now and then it submits an entry or signs in. One that is
refused with `Retry-After` waits that long.
"""

import itertools
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import socket
from locust import FastHttpUser, between, events, task

PLAN = json.loads(Path(os.environ["LETHE_LOAD_PLAN"]).read_text())
CUP, PHASE = "/api/competitions/cup", "/api/competitions/cup/phases/feedback"
PAGE = 50
FOLLOW_S = 5.0
ENTRY = """import torch

NUMBER = "{number}"

def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
"""
numbers = itertools.count()
taken_ms: dict[str, list[float]] = defaultdict(list)  # of answers below 400, by what was asked
statuses: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
without_retry: list[str] = []  # refusals that do not say when to come back
accepted: list[str] = []


class Participant(FastHttpUser):
    """Somebody who takes part in the competition."""

    wait_time = between(1, 3)
    network_timeout = connection_timeout = 60.0

    def __init__(self, environment: Any) -> None:
        number = next(numbers)
        self.host = PLAN["urls"][number % len(PLAN["urls"])]
        super().__init__(environment)
        self.own = PLAN["users"][number % len(PLAN["users"])]
        self.number = number
        self.headers = {
            "Authorization": f"Bearer {self.own['token']}",
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        }
        self.tag, self.after = "", ""
        self.newest = ""
        place = (number + 0.5) / len(PLAN["users"])  # so that users upload one after another, not all at once
        self.upload_at = time.monotonic() + place * PLAN["upload_every_s"]
        self.sign_in_at = time.monotonic() + place * PLAN["sign_in_every_s"]

    @task
    def act(self) -> None:
        """Submit or sign in if it is time; else read."""
        if time.monotonic() >= self.upload_at:
            self.upload_at += PLAN["upload_every_s"]
            self.upload()
        elif time.monotonic() >= self.sign_in_at:
            self.sign_in_at += PLAN["sign_in_every_s"]
            self.sign_in()
        else:
            random.choices(list(READS), list(READS.values()))[0](self)

    def poll_board(self) -> None:
        """Read the first page if it has changed."""
        answer = self.ask("GET", f"{PHASE}/leaderboard?limit={PAGE}", "board", {"If-None-Match": self.tag})
        if answer is not None and answer.status_code == 200:
            self.tag, self.after = answer.headers["ETag"], answer.json()["next"] or ""

    def read_on(self) -> None:
        """Read the next page."""
        if self.after:
            answer = self.ask("GET", f"{PHASE}/leaderboard?limit={PAGE}&after={self.after}", "board, next page")
            self.after = answer.json()["next"] or "" if answer is not None else ""

    def look_around(self) -> None:
        """Read the page of the competition."""
        self.ask("GET", CUP, "competition")

    def look_at_own(self) -> None:
        """Read one's newest submission, or what one may still submit."""
        if self.newest:
            self.ask("GET", f"/api/submissions/{self.newest}", "submission")
        else:
            self.ask("GET", f"{PHASE}/quota", "quota")

    def follow(self) -> None:
        """Follow one's newest submission for a while."""
        if not self.newest:
            return
        where = urlsplit(str(self.host))
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        start = time.perf_counter()
        with suppress(OSError), socket.create_connection((where.hostname, where.port), timeout=60) as connection:
            connection.sendall(
                f"GET /api/submissions/{self.newest}/events HTTP/1.1\r\nHost: {where.netloc}\r\n{head}\r\n".encode()
            )
            status = int(connection.recv(65536).split(b" ", 2)[1])
            note("follow", status, 1e3 * (time.perf_counter() - start))
            with gevent.Timeout(FOLLOW_S, False):
                while connection.recv(65536):
                    pass

    def sign_in(self) -> None:
        """Start another session."""
        body = json.dumps({"username": self.own["username"], "password": PLAN["password"]})
        self.ask("POST", "/api/sessions", "sign in", {"Content-Type": "application/json"}, body)

    def upload(self) -> None:
        """Submit an entry that nobody has submitted yet."""
        code = ENTRY.format(number=f"{PLAN['stage']} {self.number} {time.time_ns()}").encode()
        answer = self.ask("POST", f"{PHASE}/submissions?filename=entry.py", "upload", {}, code)
        if answer is not None:
            self.newest = answer.json()["id"]
            accepted.append(self.newest)

    def ask(
        self, method: str, path: str, name: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> Any | None:
        """Send a request; return the answer, or None if it was refused."""
        sent = self.headers | (headers or {})
        start = time.perf_counter()
        with self.client.request(
            method, path, name=name, headers=sent, data=body, catch_response=True, allow_redirects=False
        ) as answer:
            note(name, answer.status_code, 1e3 * (time.perf_counter() - start))
            answer.success()
            if answer.status_code in (429, 503):
                if "Retry-After" in (answer.headers or {}):
                    gevent.sleep(float(answer.headers["Retry-After"]))
                else:
                    without_retry.append(name)
            return answer if 0 < answer.status_code < 400 else None


READS: dict[Callable[[Participant], None], int] = {  # each with its weight
    Participant.poll_board: 8,
    Participant.read_on: 4,
    Participant.look_around: 4,
    Participant.look_at_own: 3,
    Participant.follow: 1,
}


def note(name: str, status: int, spent_ms: float) -> None:
    """Count an answer; status 0 means that there was none."""
    statuses[name][status] += 1
    if 0 < status < 400:
        taken_ms[name].append(spent_ms)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def leave(**_: Any) -> None:
    """Write down what was found."""
    found = {"taken_ms": taken_ms, "statuses": statuses, "without_retry": without_retry, "accepted": accepted}
    Path(PLAN["out"]).write_text(json.dumps(found))

"""Watching an evaluation by Server-Sent Events: the real server, real streams."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import QueuePool

from services.api.submissions import streams
from services.api.submissions.feed import EventFeed
from services.core.models import EventKind, FailureKind, Role, State
from services.core.queue.lifecycle import add_event, cancel, fail, lock_evaluation, move
from services.core.settings import Settings
from tests.api.harness import Api, Caller, Served, prepare, running, serving
from tests.api.scores import measure, score


@dataclass
class Watched:
    """A submission on a served API, and the means to write its events."""

    api: Api
    served: Served
    caller: Caller
    submission_id: str
    evaluation_id: UUID

    @property
    def url(self) -> str:
        return f"{self.served.url}/api/submissions/{self.submission_id}/events"

    def headers(self, last: int | None = None) -> dict[str, str]:
        resume = {} if last is None else {"Last-Event-ID": str(last)}
        return {"Authorization": f"Bearer {self.caller.token}"} | resume

    def progress(self, done: int) -> None:
        with self.api.database.write() as session:
            add_event(
                session, lock_evaluation(session, self.evaluation_id), EventKind.PROGRESS, seeds_done=done, seeds=8
            )


@pytest.fixture
def watched(settings: Settings) -> Iterator[Watched]:
    with running(settings) as api, serving(settings, look_every_s=3600.0) as served:
        caller = prepare(api)
        submission = caller.submit().json()
        yield Watched(api, served, caller, submission["id"], UUID(submission["evaluation_id"]))


def events_of(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Parse a stream: one dictionary for each event, comments left out."""
    event: dict[str, Any] = {}
    for line in lines:
        if line == "" and "event" in event:
            yield event
            event = {}
        elif line and not line.startswith((":", "retry:")):
            field, _, value = line.partition(": ")
            event[field] = json.loads(value) if field == "data" else value


def follow(watched: Watched, last: int | None = None) -> list[dict[str, Any]]:
    """Read a whole stream to its end."""
    with httpx2.stream("GET", watched.url, headers=watched.headers(last), timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
        return list(events_of(answer.iter_lines()))


def score_it(watched: Watched) -> None:
    with watched.api.database.write() as session:
        measure(session, watched.evaluation_id)
        score(session, watched.evaluation_id, 0.1)


def test_events_come_as_they_are_written_until_scored(watched: Watched) -> None:
    with httpx2.stream("GET", watched.url, headers=watched.headers(), timeout=30) as answer:
        events = events_of(answer.iter_lines())
        assert next(events)["event"] == "queued"
        watched.progress(3)
        progress = next(events)
        assert (progress["id"], progress["event"], progress["data"]["seeds_done"]) == ("2", "progress", 3)
        score_it(watched)
        rest = list(events)

    assert [event["event"] for event in rest] == ["running", "measured", "scored"]
    assert [event["id"] for event in rest] == ["3", "4", "5"]
    assert all(event["data"]["at"] for event in rest)
    told = [[event["data"].get(name) for name in ("state", "ended", "cancellable")] for event in (progress, *rest)]
    assert told == [
        [None, None, None],
        ["running", False, True],
        ["measured", False, False],
        ["scored", True, False],
    ]


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_streams_end_with_every_final_state(watched: Watched, outcome: str) -> None:
    with watched.api.database.write() as session:
        evaluation = lock_evaluation(session, watched.evaluation_id)
        if outcome == "failed":
            fail(session, evaluation, FailureKind.EXCEPTION, "It raised.")
        else:
            cancel(session, evaluation)

    last = follow(watched)[-1]

    assert last["event"] == outcome
    assert outcome != "failed" or last["data"]["message"] == "It raised."


def test_resumed_streams_repeat_and_miss_nothing(watched: Watched) -> None:
    for done in range(1, 8):
        watched.progress(done)
    score_it(watched)
    everything = follow(watched)

    for last in range(len(everything)):
        assert follow(watched, last) == everything[last:]


def test_long_histories_arrive_whole(watched: Watched) -> None:
    with watched.api.database.write() as session:
        evaluation = lock_evaluation(session, watched.evaluation_id)
        for done in range(1000):
            add_event(session, evaluation, EventKind.PROGRESS, seeds_done=done)
    score_it(watched)

    assert [int(event["id"]) for event in follow(watched)] == list(range(1, 1005))


def test_who_has_seen_the_end_is_told_not_to_come_back(watched: Watched) -> None:
    """A browser reconnects when a stream ends; only 204 stops it."""
    score_it(watched)
    last = int(follow(watched)[-1]["id"])

    assert httpx2.get(watched.url, headers=watched.headers(last)).status_code == 204


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "\u0663"])
def test_event_ids_that_are_none_are_refused(watched: Watched, last: str) -> None:
    headers = [(b"Authorization", f"Bearer {watched.caller.token}".encode()), (b"Last-Event-ID", last.encode())]

    answer = httpx2.get(watched.url, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_event_id")


def test_many_streams_hold_neither_threads_nor_connections(watched: Watched) -> None:
    server: Any = watched.served.server.config.app
    pool = server.state.lethe.database.engine.pool
    assert isinstance(pool, QueuePool)
    with ExitStack() as stack, httpx2.Client(limits=httpx2.Limits(max_connections=None), timeout=30) as client:
        watchers = [watched.api.caller(f"watcher-{number}", Role.OPERATOR) for number in range(4)]
        followed = []
        for number in range(60):
            follow_headers = {"Authorization": f"Bearer {watchers[number % 4].token}"}
            answer = stack.enter_context(client.stream("GET", watched.url, headers=follow_headers))
            events = events_of(answer.iter_lines())
            assert next(events)["event"] == "queued"
            followed.append(events)
            if number == 10:
                threads = threading.active_count()
        assert threading.active_count() <= threads + 1
        assert pool.checkedout() <= 1  # the poller's, for a moment
        watched.progress(1)
        assert {next(events)["event"] for events in followed} == {"progress"}


def test_an_account_has_so_many_streams_and_another_one_when_one_ends(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PER_ACCOUNT", 2)
    other = {"Authorization": f"Bearer {watched.api.caller('root', Role.OPERATOR).token}"}
    with ExitStack() as stack, httpx2.Client(timeout=30) as client:
        held = []  # a collected generator closes its connection
        for headers in (watched.headers(), watched.headers(), other):
            answer = stack.enter_context(client.stream("GET", watched.url, headers=headers))
            held.append(answer.iter_lines())
            assert next(held[-1])
        refused = client.get(watched.url, headers=watched.headers())
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        score_it(watched)  # all streams end
        for _ in range(200):
            last = client.get(watched.url, headers=watched.headers())
            if last.status_code == 200:
                break
            time.sleep(0.05)
        assert "event: scored" in last.text


def test_an_address_has_so_many_streams(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PER_ADDRESS", 1)
    other = {"Authorization": f"Bearer {watched.api.caller('root', Role.OPERATOR).token}"}
    with httpx2.stream("GET", watched.url, headers=watched.headers(), timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(lines)
        elsewhere = {"X-Forwarded-For": "192.0.2.1"}  # loopback is a trusted proxy
        assert httpx2.get(watched.url, headers=other).json()["code"] == "too_many_streams"
        with httpx2.stream("GET", watched.url, headers=other | elsewhere, timeout=30) as allowed:
            assert allowed.status_code == 200


def test_streams_of_clients_that_left_are_forgotten(watched: Watched) -> None:
    """The server notices at the next event or heartbeat, and then within a turn of its loop."""
    server: Any = watched.served.server.config.app
    feed = server.state.lethe.feed
    with httpx2.stream("GET", watched.url, headers=watched.headers(), timeout=30) as answer:
        events = events_of(answer.iter_lines())  # held: a collected generator closes its connection
        next(events)
        assert _streams_become(feed, 1)

    watched.progress(1)
    score_it(watched)
    follow(watched)
    assert _streams_become(feed, 0)


def test_head_opens_no_stream(watched: Watched) -> None:
    """Asked for the head alone, a stream would send to nobody for ever."""
    server: Any = watched.served.server.config.app
    answer = httpx2.head(watched.url, headers=watched.headers(), timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert _streams_become(server.state.lethe.feed, 0)


def _streams_become(feed: EventFeed, expected: int) -> bool:
    """Wait a while for the loop that serves streams; it runs in another thread."""
    for _ in range(200):
        if feed.streams == expected:
            return True
        time.sleep(0.05)
    return False


def test_stopping_the_server_ends_open_streams(watched: Watched) -> None:
    with httpx2.stream("GET", watched.url, headers=watched.headers(), timeout=30) as answer:
        events = events_of(answer.iter_lines())
        next(events)
        watched.served.stop()
        assert list(events) == []


def test_silence_is_broken_by_heartbeats(watched: Watched) -> None:
    async def listen() -> list[object]:
        feed = EventFeed(watched.api.database, heartbeat_s=0.05)
        poller = asyncio.create_task(feed.poll())
        heard: list[object] = []
        async for record in feed.follow(watched.evaluation_id, after=1):
            heard.append(record)
            if len(heard) == 3:
                break
        feed.close()
        await poller
        return heard

    assert asyncio.run(listen()) == [None, None, None]


def test_a_poll_that_fails_is_followed_by_another(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched.api.database.write() as session:
        move(session, lock_evaluation(session, watched.evaluation_id), State.CANCELLED)

    async def listen() -> list[str]:
        feed = EventFeed(watched.api.database)
        read, failures = feed._read, iter([OSError("the network is down")])

        def flaky(wanted: dict[UUID, int]) -> Any:
            for failure in failures:
                raise failure
            return read(wanted)

        monkeypatch.setattr(feed, "_read", flaky)
        poller = asyncio.create_task(feed.poll())
        kinds = [record.kind.value async for record in feed.follow(watched.evaluation_id, after=0) if record]
        feed.close()
        await poller
        return kinds

    assert asyncio.run(listen()) == ["queued", "cancelled"]

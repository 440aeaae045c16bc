"""A crowd: more requests than a process answers at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.api.kit.crowds import CrowdLimit

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
REST: Message = {"type": "http.response.body", "body": b"", "more_body": False}


class Stage:
    """An app behind the limit that waits where a test wants it to, and the answers that its clients got."""

    def __init__(self, act: Callable[[Receive, Send, asyncio.Event], Awaitable[None]]) -> None:
        self.go_on = asyncio.Event()
        self.body_comes = asyncio.Event()
        self._act = act
        self._limit = CrowdLimit(self._app, at_once=1)

    async def _app(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await self._act(receive, send, self.go_on)

    async def ask(self, path: str = "/api/me") -> list[Message]:
        answer: list[Message] = []

        async def receive() -> Message:
            await self.body_comes.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            answer.append(message)

        await self._limit({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)
        return answer

    async def begin(self) -> "asyncio.Task[list[Message]]":
        task = asyncio.create_task(self.ask())
        await asyncio.sleep(0)
        return task


async def work_first(_receive: Receive, send: Send, go_on: asyncio.Event) -> None:
    await go_on.wait()
    await send(START)
    await send(REST)


async def stream(_receive: Receive, send: Send, go_on: asyncio.Event) -> None:
    await send(START)
    await go_on.wait()
    await send(REST)


async def read_body(receive: Receive, send: Send, _go_on: asyncio.Event) -> None:
    await receive()
    await send(START)
    await send(REST)


async def fail(_receive: Receive, _send: Send, _go_on: asyncio.Event) -> None:
    raise RuntimeError


def test_one_too_many_is_told_when_to_come_back_each_time() -> None:
    async def scene() -> list[list[Message]]:
        stage = Stage(work_first)
        answers = []
        for _ in range(2):
            stage.go_on.clear()
            first = await stage.begin()
            answers.append(await stage.ask())
            stage.go_on.set()
            answers.append(await first)
        return answers

    refused, first, again, second = asyncio.run(scene())

    assert refused[0]["status"] == again[0]["status"] == 503
    assert (b"retry-after", b"2") in refused[0]["headers"]
    assert json.loads(refused[1]["body"])["code"] == "overloaded"
    assert first == second == [START, REST]


@pytest.mark.parametrize("act", [stream, read_body])
def test_streams_and_slow_bodies_take_no_place(act: Callable[[Receive, Send, asyncio.Event], Awaitable[None]]) -> None:
    async def scene() -> list[list[Message]]:
        stage = Stage(act)
        waiting = [await stage.begin() for _ in range(3)]
        stage.go_on.set()
        stage.body_comes.set()
        return list(await asyncio.gather(*waiting))

    assert asyncio.run(scene()) == [[START, REST]] * 3


def test_a_probe_is_answered_in_a_crowd() -> None:
    async def scene() -> list[Message]:
        stage = Stage(work_first)
        first = await stage.begin()
        probe = asyncio.create_task(stage.ask("/api/health"))
        await asyncio.sleep(0)
        stage.go_on.set()
        await first
        return await probe

    assert asyncio.run(scene()) == [START, REST]


def test_a_request_that_fails_gives_its_place_back() -> None:
    async def scene() -> None:
        stage = Stage(fail)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await stage.ask()

    asyncio.run(scene())

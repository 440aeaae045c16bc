"""Asking a provider: with a deadline, a limit of size, no redirects, and few requests at once.

What a provider answers is not trusted. One that is slow must not take the threads that answer everybody else.
"""

import asyncio
import json
import ssl
from threading import BoundedSemaphore
from typing import Any

import httpx2
import structlog

from services.core.errors import Unavailable

__all__ = ["ProviderUnavailable", "ask", "ask_status"]

log = structlog.get_logger()

DEADLINE_S = 8.0  # for one answer, however slowly it comes
WAIT_S = 2.0  # for a turn
MOST_BYTES = 256 * 1024
AT_ONCE = 6
_turns = BoundedSemaphore(AT_ONCE)


class ProviderUnavailable(Unavailable):
    code = "provider_unavailable"


def ask(url: str, *, issuer: str, form: dict[str, str] | None = None, login: tuple[str, str] | None = None) -> Any:
    """Return the JSON object that an address answers with. Raises ProviderUnavailable."""
    status, body = ask_status(url, issuer=issuer, form=form, login=login)
    if status != 200:
        raise _unavailable(issuer, f"status {status}")
    return body


def ask_status(
    url: str, *, issuer: str, form: dict[str, str] | None = None, login: tuple[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object that an address answers with. Raises ProviderUnavailable."""
    if not _turns.acquire(timeout=WAIT_S):
        raise _unavailable(issuer, "too many requests wait for it")
    try:
        status, data = asyncio.run(_exchange(url, form, login))
        body = json.loads(data)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError) as error:
        raise _unavailable(issuer, f"{type(error).__name__}: {error}") from error
    finally:
        _turns.release()
    if not isinstance(body, dict):
        raise _unavailable(issuer, "the answer is no JSON object")
    return status, body


async def _exchange(url: str, form: dict[str, str] | None, login: tuple[str, str] | None) -> tuple[int, bytes]:
    """Read one answer. Only a loop can bound all of it: a library's timeouts begin again with each byte."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with (
        asyncio.timeout(DEADLINE_S),
        httpx2.AsyncClient(verify=ssl.create_default_context(), follow_redirects=False, timeout=DEADLINE_S) as client,
        client.stream("POST" if form else "GET", url, data=form, auth=login, headers=headers) as answer,
    ):
        if answer.is_redirect:
            raise ValueError("it redirects, which is not followed")
        data = b""
        async for part in answer.aiter_raw():
            data += part
            if len(data) > MOST_BYTES:
                raise ValueError(f"the answer has more than {MOST_BYTES:,} bytes")
        return answer.status_code, data


def _unavailable(issuer: str, reason: str) -> ProviderUnavailable:
    log.warning("provider_unavailable", issuer=issuer, reason=reason[:200], remedy="check its issuer and network")
    return ProviderUnavailable(
        "The provider did not answer as it should. Try again in a minute, sign in another way, or tell the operator."
    )

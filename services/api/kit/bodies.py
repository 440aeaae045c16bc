"""How large a request's body may be. FastAPI counts it, announced or not; what it refuses leaves as a problem."""

import sys

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.kit.problems import MEDIA_TYPE, problem

__all__ = ["COUNTED_BY_ITSELF", "MAX_BODY_BYTES", "TooLargeProblems", "too_large"]

MAX_BODY_BYTES = 1024**2
COUNTED_BY_ITSELF = sys.maxsize  # of a route that has a limit of its own, from the settings


def too_large(_request: Request, _error: Exception) -> Response:
    """Answer a body that passed the limit while it was read."""
    return problem(413, "too_large", f"The request body is larger than {MAX_BODY_BYTES:,} bytes. Send less.")


class TooLargeProblems:
    """Makes problems of FastAPI's answers to bodies that announce too large a size: it sends those as plain text."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def send_problem(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                refused = True
                await too_large(Request(scope), Exception())(scope, receive, send)
            elif not refused:
                await send(message)

        await self.app(scope, receive, send_problem)


def _is_plain_refusal(start: Message) -> bool:
    return start["status"] == 413 and Headers(raw=start["headers"]).get("content-type") != MEDIA_TYPE

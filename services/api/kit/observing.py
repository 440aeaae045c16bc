"""Request ids, in the response and in every log line, and request latencies, both for operators."""

import re
import time
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["REQUEST_ID", "Latencies", "Observed"]

REQUEST_ID = "X-Request-ID"
GIVEN = re.compile(r"^[A-Za-z0-9._-]{8,64}$")  # an id that a reverse proxy may have set
# Unknown paths and methods share one label, so that clients cannot create time series.
UNMATCHED = "unmatched"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER = "other"

log = structlog.get_logger()


class Latencies:
    """A histogram of request latencies, by method, route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "lethe_api_request_seconds",
            "Seconds from a request's arrival to the start of its response.",
            ("method", "route", "status"),
            registry=registry,
        )

    def add(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._histogram.labels(method, route, str(status)).observe(seconds)


class Observed:
    """Gives every request an id, measures the time to the start of its response, and logs it."""

    def __init__(self, app: ASGIApp, latencies: Latencies) -> None:
        self.app = app
        self.latencies = latencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if GIVEN.match(given) else uuid4().hex
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
                self._note(scope, message["status"], time.perf_counter() - started)
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            await self.app(scope, receive, send_with_id)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = scope["method"] if scope["method"] in METHODS else OTHER
        self.latencies.add(method=method, route=route, status=status, seconds=seconds)
        log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(1e3 * seconds, 1))

"""What every response carries and every request must respect: security headers, and a bound on bodies."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.kit.problems import problem

__all__ = ["BodyLimit", "SecurityHeaders"]

MAX_BODY_BYTES = 1024**2
UPLOADS = ("/submissions", "/submissions/check")  # the routes that take more; they count for themselves

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
_PAGES_ONLY = {  # of the web app: its own files and nothing else, and no inline script or style
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Cache-Control": "no-cache",
}
_HASHED_ONLY = {"Cache-Control": "public, max-age=31536000, immutable"}  # files whose names change with their content
_API_ONLY = {"Cache-Control": "no-store"}
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


class SecurityHeaders:
    """Sets security headers, and what may be cached, where a response says nothing of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        defaults = dict(_HEADERS)
        if scope["scheme"] == "https":
            defaults |= _HTTPS_ONLY
        if scope["path"].startswith("/api/"):
            defaults |= _API_ONLY
        elif not scope["path"].startswith("/docs"):
            defaults |= _PAGES_ONLY
            if scope["path"].startswith("/assets/"):
                defaults |= _HASHED_ONLY

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                refused = _API_ONLY if message["status"] >= 400 else {}  # a file that is missing may come
                for name, value in (defaults | refused).items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses bodies over a limit before they are read into memory, by their announced and by their counted size."""

    def __init__(self, app: ASGIApp, limit_bytes: int = MAX_BODY_BYTES) -> None:
        self.app = app
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(UPLOADS):
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self.limit_bytes:
            await problem(413, "too_large", self._message())(scope, receive, send)
            return
        size_bytes = 0

        async def receive_counted() -> Message:
            nonlocal size_bytes
            message = await receive()
            size_bytes += len(message.get("body", b""))
            if size_bytes > self.limit_bytes:
                raise HTTPException(413, self._message())
            return message

        await self.app(scope, receive_counted, send)

    def _message(self) -> str:
        return f"The request body is larger than {self.limit_bytes:,} bytes. Send less."

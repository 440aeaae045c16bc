"""What every response carries: security headers."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SecurityHeaders"]

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
            defaults |= {} if scope["path"].startswith("/api/docs/") else _API_ONLY
        else:
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

"""Serving the API."""

import socket

import uvicorn

from services.api.app import create_app
from services.api.connections import Connection, allow_files
from services.api.state import ApiState
from services.core.settings import Settings

__all__ = ["Server", "serve"]

GRACEFUL_S = 10


class Server(uvicorn.Server):
    """Ends event streams before it stops; otherwise it would wait for clients that never hang up."""

    def __init__(self, settings: Settings) -> None:
        app = create_app(settings)
        self._state: ApiState = app.state.lethe
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                host=settings.host,
                port=settings.port,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=GRACEFUL_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all event streams, then stop."""
        self._state.feed.close()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    allow_files()
    Server(settings).run()

"""The web app: the built files of `frontend/`; without them, the page of the API.

All are served unchanged but the first page, whose head says what a competition or a leaderboard is about.
"""

from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.convertors import Convertor, register_url_convertor

from services.api.kit.origin import origin_of
from services.api.sharing.cards import card_of_path
from services.api.sharing.heads import with_card
from services.api.state import ApiState
from services.core.errors import NotFound

__all__ = ["BUILT", "install_web"]

BUILT = Path(__file__).parents[2] / "frontend" / "dist"


class PagePath(Convertor[str]):
    """The paths of the app's pages: no slug and no id has a dot, and every file has."""

    regex = "(?!api(?:/|$))[^.]*"

    def convert(self, value: str) -> str:
        """Return the path unchanged."""
        return value

    def to_string(self, value: str) -> str:
        """Return the path unchanged."""
        return value


register_url_convertor("page", PagePath())


def install_web(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the built app below /, and its first page for every path that is neither the API's nor a file's.

    All clients get the page, not only browsers that ask for HTML: previews and watchdogs need it, too.
    """
    index = built / "index.html"
    if index.is_file():

        @app.get("/api/{rest:path}", include_in_schema=False)
        def nothing(rest: str) -> None:
            raise NotFound(f"There is no /api/{rest[:100]}. See /api/docs for the routes of the API.")

        @app.get("/{path:page}", include_in_schema=False)
        def page(path: str, request: Request) -> Response:
            return HTMLResponse(_first_page(index.read_text(), path, request))

        app.frontend("/", directory=built, fallback=None)
        return

    @app.get("/", include_in_schema=False)
    def front_door() -> Response:
        return RedirectResponse("api/docs")


def _first_page(index: str, path: str, request: Request) -> str:
    """Put the card of what the path shows into the page. Without the database it is served as it is."""
    state: ApiState = request.app.state.lethe
    try:
        with state.database.read() as session:
            card = card_of_path(session, path, request.query_params.get("phase"))
    except SQLAlchemyError as error:
        structlog.get_logger().warning("page without a card", path=path[:100], error=type(error).__name__)
        return index
    return with_card(index, card, origin_of(request)) if card else index

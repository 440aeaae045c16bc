"""The web app: the built files of `frontend/`, served unchanged; without them, the API's documentation."""

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.convertors import Convertor, register_url_convertor

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

        @app.api_route("/{path:page}", methods=["GET", "HEAD"], include_in_schema=False)
        def page(path: str) -> Response:
            return FileResponse(index)

        app.frontend("/", directory=built, fallback=None)
        return

    @app.get("/", include_in_schema=False)
    def front_door() -> Response:
        return RedirectResponse("api/docs")

"""The web app: files that `frontend/` was built into, served as they are; the documentation where there are none."""

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.convertors import Convertor, register_url_convertor

from services.core.errors import NotFound

__all__ = ["BUILT", "install_web"]

BUILT = Path(__file__).parents[2] / "frontend" / "dist"


class PagePath(Convertor[str]):
    """The paths of the app's pages: no slug and no id has a dot, and every file has."""

    regex = "(?!(?:api|docs)(?:/|$))[^.]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("page", PagePath())


def install_web(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the built app below /, its first page for every path that is not the API's nor a file's.

    Whoever asks gets the page, and not only browsers, which say that they want HTML: so do previews and watchdogs.
    """
    index = built / "index.html"
    if index.is_file():

        @app.get("/api/{rest:path}", include_in_schema=False)
        def nothing(rest: str) -> None:
            raise NotFound(f"There is no /api/{rest[:100]}. See /docs for what there is.")

        @app.api_route("/{path:page}", methods=["GET", "HEAD"], include_in_schema=False)
        def page(path: str) -> Response:
            return FileResponse(index)

        app.frontend("/", directory=built, fallback=None)
        return

    @app.get("/", include_in_schema=False)
    def front_door() -> Response:
        return RedirectResponse("docs")

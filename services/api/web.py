"""The web app: files that `frontend/` was built into, served as they are; the documentation where there are none."""

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse

from services.core.errors import NotFound

__all__ = ["BUILT", "install_web"]

BUILT = Path(__file__).parents[2] / "frontend" / "dist"


def install_web(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the built app below /, its first page for every path that is not the API's nor a file's."""
    if (built / "index.html").is_file():
        app.frontend("/", directory=built, fallback="index.html")

        @app.get("/api/{rest:path}", include_in_schema=False)
        def nothing(rest: str) -> None:
            raise NotFound(f"There is no /api/{rest[:100]}. See /docs for what there is.")

        return

    @app.get("/", include_in_schema=False)
    def front_door() -> Response:
        return RedirectResponse("docs")

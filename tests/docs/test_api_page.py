"""docs/reference/api.md has every route with its least role, and no page names one that does not exist."""

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from services.api.app import ROUTERS, create_app
from services.api.kit.policy import Access, access_of, role_of
from services.core.settings import Settings
from tests.docs.pages import PAGES, ROOT, code_in, read, rows_of

NAMES = {Access.ORGANISER: "platform organiser"}  # a competition has organisers of its own
METHODS = "GET|POST|PUT|PATCH|DELETE"
ROUTE = re.compile(rf"^({METHODS}) (/api/[^\s?]+)")


def documented() -> dict[str, str]:
    """The routes of the page, each with its least role."""
    rows = [cells for cells in rows_of(read("docs/reference/api.md")) if ROUTE.match(cells[0].strip("`"))]
    found = {cells[0].strip("`"): cells[1] for cells in rows}
    assert len(found) == len(rows), "a route stands twice"
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The routes that the API's own description names."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    return {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}


def test_every_route_is_documented_and_every_documented_route_exists(served: set[str]) -> None:
    assert set(documented()) == served


def test_the_documented_role_is_the_one_that_the_route_asks_for() -> None:
    roles = {
        f"{method} /api{route.path}": str(role_of(route) or NAMES.get(access, access.name.lower()))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and (access := access_of(route)) is not None
        for method in route.methods or ()
    }
    assert {route: roles.get(route) for route in documented()} == documented()


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_routes_that_a_page_names_exist(path: Path, served: set[str]) -> None:
    shapes = {shape(route) for route in served}
    for code in code_in(path.read_text()):
        if (named := ROUTE.match(code)) and "..." not in code:
            assert shape(f"{named[1]} {named[2]}") in shapes, code


def shape(route: str) -> str:
    """A route without the names of its parameters."""
    return re.sub(r"\{\w+\}|\b[A-Z]{2,}\b(?!\s)", "{}", route)

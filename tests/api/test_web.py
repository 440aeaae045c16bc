"""The web app's files beside the API, under a policy that runs nothing but them."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from services.api.app import create_app
from services.core.database import Database
from services.core.migrate import upgrade
from tests.api.harness import make_settings


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>Lethe</title>")
    (built / "assets" / "app-1234.js").write_text("start()")
    (tmp_path / "secret").write_text("not for you")
    settings = make_settings(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    database = Database(settings.resolved_database_url)
    upgrade(database)
    database.dispose()
    return TestClient(create_app(settings, web=built))


@pytest.mark.parametrize("path", ["/", "/competitions/cup", "/submissions/1/"])
def test_pages_are_the_apps_first_one(client: TestClient, path: str) -> None:
    with client:
        answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, "<title>Lethe</title>" in answer.text) == (200, True)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-cache"


def test_built_files_are_kept_by_browsers(client: TestClient) -> None:
    with client:
        answer = client.get("/assets/app-1234.js")
    assert (answer.text, answer.headers["cache-control"]) == ("start()", "public, max-age=31536000, immutable")


@pytest.mark.parametrize("path", ["/api/nothing", "/api/competitions/none"])
def test_what_the_api_does_not_have_is_a_problem_not_a_page(client: TestClient, path: str) -> None:
    with client:
        answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/../secret", "/assets/../../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret"])
def test_nothing_outside_the_built_app_is_served(client: TestClient, path: str) -> None:
    """Reading the server's own files by a path that climbs out."""
    with client:
        assert "not for you" not in client.get(path).text


def test_without_a_built_app_the_front_door_leads_to_the_documentation(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    database = Database(settings.resolved_database_url)
    upgrade(database)
    database.dispose()
    with TestClient(create_app(settings, web=tmp_path / "none")) as client:
        answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "docs")

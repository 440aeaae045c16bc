"""The web app's files beside the API, under a policy that runs nothing but them."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from services.api.app import create_app
from tests.api.harness import make_settings


@pytest.fixture
def client(tmp_path: Path, sqlite_url: str) -> TestClient:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>Lethe</title>")
    (built / "assets" / "app-1234.js").write_text("start()")
    (tmp_path / "secret").write_text("not for you")
    settings = make_settings(tmp_path, sqlite_url)
    return TestClient(create_app(settings, web=built))


@pytest.mark.parametrize("path", ["/", "/competitions/cup", "/submissions/1/", "/docs/reference/errors"])
def test_pages_are_the_apps_first_one(client: TestClient, path: str) -> None:
    with client:
        answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, "<title>Lethe</title>" in answer.text) == (200, True)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/competitions/cup", "/api/docs"])
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_pages_answer_whoever_asks(client: TestClient, path: str, accept: str) -> None:
    """Previews and watchdogs send HEAD, and do not say that they want HTML."""
    with client:
        whole = client.get(path, headers={"Accept": accept})
        head = client.head(path, headers={"Accept": accept})
    assert (whole.status_code, head.status_code, head.content) == (200, 200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    for name in ("content-type", "content-security-policy", "cache-control"):
        assert head.headers[name] == whole.headers[name]


def test_a_page_is_only_read(client: TestClient) -> None:
    with client:
        answer = client.post("/competitions/cup")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/assets/app-5678.js", "/logo.png"])
def test_a_file_that_is_missing_is_no_page_and_is_not_remembered(client: TestClient, path: str) -> None:
    """A browser that kept the answer would miss the file for a year, though the next release brings it."""
    with client:
        answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


def test_built_files_are_kept_by_browsers(client: TestClient) -> None:
    with client:
        answer = client.get("/assets/app-1234.js")
    assert (answer.text, answer.headers["cache-control"]) == ("start()", "public, max-age=31536000, immutable")


@pytest.mark.parametrize("path", ["/api/nothing", "/api/competitions/none"])
def test_what_the_api_does_not_have_is_a_problem_not_a_page(client: TestClient, path: str) -> None:
    with client:
        assert client.head(path).status_code == 404
        answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/../secret", "/assets/../../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret"])
def test_nothing_outside_the_built_app_is_served(client: TestClient, path: str) -> None:
    """Reading the server's own files by a path that climbs out."""
    with client:
        assert "not for you" not in client.get(path).text


def test_without_a_built_app_the_front_door_leads_to_the_documentation(tmp_path: Path, sqlite_url: str) -> None:
    settings = make_settings(tmp_path, sqlite_url)
    with TestClient(create_app(settings, web=tmp_path / "none")) as client:
        answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "api/docs")

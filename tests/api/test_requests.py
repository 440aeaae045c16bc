"""What holds for every request: problems, headers, bounds, and a commit before the response."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from services.api.app import create_app
from services.core.models import Competition, Role, Team
from tests.api.harness import Api, Caller, failing_commits, make_settings, running


def test_a_failing_commit_is_not_answered_with_success(api: Api) -> None:
    root = api.caller("root", Role.OPERATOR)

    with failing_commits(), capture_logs():
        answer = root.post("/api/teams", json={"name": "lost"})

    assert answer.status_code == 500
    with api.database.read() as session:
        assert session.scalars(select(Team.name)).all() == ["root"]


def test_unexpected_errors_leak_nothing(api: Api) -> None:
    root = api.caller("root", Role.OPERATOR)

    with failing_commits(), capture_logs() as logs:
        answer = root.post("/api/teams", json={"name": "lost"})

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal"
    assert "secrets" not in answer.text and "Traceback" not in answer.text
    assert [log["incident"] for log in logs if "incident" in log] == [answer.json()["incident"]]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("PUT", "/api/health", 405, "method_not_allowed"),
        ("GET", "/api/competitions/none", 404, "not_found"),
        ("GET", "/api/competitions?limit=0", 422, "invalid_request"),
        ("GET", "/api/competitions?after=x", 422, "bad_cursor"),
    ],
)
def test_every_error_is_a_problem(api: Api, method: str, path: str, status: int, code: str) -> None:
    answer = api.client.request(method, path)
    problem = answer.json()

    assert answer.status_code == problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:lethe:problem:{code}"
    assert problem["title"] and problem["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"title": "x"}', b"\xff"])
def test_bodies_that_are_not_what_is_asked_for_are_refused(api: Api, body: bytes) -> None:
    organiser = api.caller("org", Role.ORGANISER)

    answer = organiser.post("/api/competitions", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["nul\0byte", "\ud800"], ids=["null byte", "lone surrogate"])
def test_text_that_a_database_cannot_store_is_refused(api: Api, text: str) -> None:
    organiser = api.caller("org", Role.ORGANISER)
    escaped = "".join(f"\\u{ord(character):04x}" for character in text)
    body = f'{{"slug": "cup", "title": "{escaped}"}}'.encode()

    answer = organiser.post("/api/competitions", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["/api/competitions/%00", "/api/submissions?competition=%00", "/api/competitions/%ff"])
def test_null_bytes_in_paths_are_harmless(api: Api, path: str) -> None:
    assert api.caller("ada").get(path).status_code in (200, 404, 422)


def test_bodies_are_bounded_before_they_are_read(api: Api) -> None:
    answer = api.anonymous.post("/api/sessions", content=b"x" * (1024**2 + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_path_that_ends_like_an_upload_is_bounded_too(api: Api) -> None:
    ada = api.caller("ada")
    for path in ("/api/submissions", "/api/competitions/cup/submissions", "/api/submissions/check"):
        answer = ada.post(path, content=b"x" * (1024**2 + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_refused_body_says_how_much_may_be_sent(api: Api) -> None:
    answer = api.anonymous.post("/api/sessions", content=b"x" * (1024**2 + 1))

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["detail"] == "The request body is larger than 1,048,576 bytes. Send less."


def test_bodies_are_bounded_while_they_are_read(api: Api) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = api.anonymous.post("/api/sessions", content=chunks(), headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/api/health", "/api/nothing", "/docs", "/api/openapi.json", "/docs/start.js"])
def test_every_response_has_security_headers(api: Api, path: str) -> None:
    headers = api.client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert path.startswith("/docs") or headers["cache-control"] == "no-store"


def test_docs_load_nothing_from_elsewhere(api: Api) -> None:
    page = api.client.get("/docs").text

    assert "//" not in page
    for link in ("docs/assets/swagger-ui-bundle.js", "docs/assets/swagger-ui.css", "docs/start.js", "api/openapi.json"):
        assert api.client.get(f"/{link}").status_code == 200


def test_docs_renderer_knows_our_version_of_openapi(api: Api) -> None:
    """Swagger UI 4 answers OpenAPI 3.1 with an error page; 5 renders it."""
    bundle = api.client.get("/docs/assets/swagger-ui-bundle.js").text

    assert api.client.get("/api/openapi.json").json()["openapi"].startswith("3.1")
    assert 'PACKAGE_VERSION:"5.' in bundle


def test_front_door_leads_to_the_docs(api: Api) -> None:
    answer = api.client.get("/", follow_redirects=False)

    assert answer.status_code == 307
    assert answer.headers["location"] == "docs"


def test_operations_have_unique_names(tmp_path: Path) -> None:
    schema = create_app(make_settings(tmp_path, "")).openapi()
    names = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]

    assert len(names) == len(set(names))


def test_more_requests_than_threads_and_connections_all_succeed(api: Api) -> None:
    """Requests that hold a transaction and wait for a thread must not starve behind those that wait for them."""
    root = api.caller("root", Role.OPERATOR)

    def work(number: int) -> int:
        if number % 2:
            return root.get("/api/competitions").status_code
        return root.post("/api/competitions", json={"slug": f"c{number}", "title": "Cup"}).status_code

    with ThreadPoolExecutor(120) as pool:
        answers = list(pool.map(work, range(240)))

    assert sorted(set(answers)) == [200, 201]
    with api.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Competition)).one() == 120


def test_health_says_when_the_database_does_not_answer(tmp_path: Path, sqlite_url: str) -> None:
    with running(make_settings(tmp_path, sqlite_url)) as api:
        assert api.anonymous.get("/api/health").json()["status"] == "ok"
        api.state.database.dispose()
        for file in tmp_path.glob("test.db*"):
            file.unlink()
        (tmp_path / "test.db").mkdir()

        answer = Caller(api.client).get("/api/health")

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")

"""What holds for every request: problems, headers, bounds, and a commit before the response."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from services.api.app import create_app
from services.core.models import Competition, Phase, Role, Team
from tests.api.finals import make_final
from tests.api.harness import BOARD, MODULE, SUBMIT, Api, Caller, failing_commits, make_settings, running


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


def test_whatever_answers_get_answers_head_without_a_body(api: Api, phase: Phase) -> None:
    """Previews of links, crawlers and browsers ask so, before they ask for the whole."""
    api.caller("ada")
    routes = api.client.get("/api/openapi.json").json()["paths"]
    asked = [path for path in routes if "get" in routes[path]]
    assert sum("preview.png" in path for path in asked) == 4
    parts = SLUGS | dict.fromkeys(IDS, str(uuid4())) | {"digest": "0" * 64}
    for path in ("/api/openapi.json", "/api/docs", "/api/docs/start.js", "/api/nothing", *asked):
        filled = path.format_map(parts)
        with capture_logs():
            whole, head = api.client.get(filled), api.client.head(filled)
        assert (head.status_code, head.content) == (whole.status_code, b""), filled
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.status_code != 405


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"title": "x"}', b"\xff"])
def test_bodies_that_are_not_what_is_asked_for_are_refused(api: Api, body: bytes) -> None:
    organiser = api.caller("org", Role.ORGANISER)

    answer = organiser.post("/api/competitions", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


UNSTORABLE = {"null byte": "a\0b", "lone surrogate": "a\ud800b"}
LATER = "2100-01-01T00:00:00Z"
SLUGS = {
    "slug": "cup",
    "phase": "feedback",
    "team": "ada",
    "username": "ada",
    "number": "1",
    "name": "ada",
    "form": "bib",
    "example": "0",
    "link": "a",
    "image": "a.png",
    "offset": "0",
}
IDS = (
    *("invitation_id", "submission_id", "token_id", "campaign_id", "exclusion_id", "announcement_id"),
    *("offer_id", "other_id", "webhook_id", "call_id", "matrix_id"),
    *("identity_id", "offer_id", "other_id"),
    *("offer_id", "other_id", "webhook_id", "call_id"),
    *("freeze_id", "identity_id", "offer_id", "other_id", "upload_id"),
)
TEXT_BODIES = [
    ("/api/benchmark-uploads", {"filename": "@", "size_bytes": 1, "head_sha256": "0" * 64}),
    ("/api/competitions", {"slug": "other", "title": "@"}),
    ("/api/competitions", {"slug": "other", "title": "x", "description": "@"}),
    ("/api/competitions", {"slug": "@", "title": "x"}),
    ("/api/competitions", {"slug": "other", "title": "x", "@": 1}),
    (
        "/api/competitions/cup/phases",
        {"slug": "x", "kind": "check", "closes_at": "2100-01-01T00:00:00Z", "benchmark": "@"},
    ),
    ("/api/competitions/cup/phases", {"slug": "x", "kind": "@", "closes_at": "@", "benchmark": "tiny", "metric": "@"}),
    ("/api/competitions/cup/phases/feedback/campaigns", {"metric": "@"}),
    ("/api/accounts", {"username": "@", "password": "correct horse battery"}),
    ("/api/sessions", {"username": "@", "password": "@"}),
    ("/api/me/tokens", {"name": "@"}),
    ("/api/me/email", {"email": "@"}),
    ("/api/me/password", {"password": "@", "new_password": "correct horse battery"}),
    ("/api/me/deletion", {"username": "@"}),
    ("/api/password-resets", {"name": "@"}),
    ("/api/password-resets/use", {"token": "@", "new_password": "correct horse battery"}),
    ("/api/email-verifications", {"token": "@"}),
    ("/api/openid/uni", {"back": "/@"}),
    ("/api/openid/uni/return", {"state": "@"}),
    ("/api/openid-accounts", {"username": "eve", "pending": "@"}),
    ("/api/me/identities", {"provider": "@"}),
    ("/api/teams", {"name": "@"}),
    ("/api/competitions/cup/teams", {"name": "@"}),
    ("/api/teams/ada/captain", {"username": "@"}),
    ("/api/teams/ada/offers", {"username": "@"}),
    ("/api/teams/ada/merge", {"team": "@"}),
    ("/api/joining", {"code": "@"}),
    ("/api/joining/preview", {"code": "@"}),
    ("/api/admin/accounts", {"username": "@", "password": "correct horse battery"}),
    ("/api/competitions/cup/members", {"username": "@", "role": "reviewer"}),
    ("/api/competitions/cup/owner", {"username": "@"}),
    ("/api/competitions/cup/registration", {"code": "@"}),
    ("/api/competitions/cup/registrations/approve", {"usernames": ["@"]}),
    ("/api/competitions/cup/registrations/refuse", {"usernames": ["ada"], "reason": "@"}),
    ("/api/competitions/cup/invitations", {"name": "@"}),
]


@pytest.mark.parametrize("text", UNSTORABLE.values(), ids=UNSTORABLE)
def test_text_that_a_database_cannot_store_is_refused(api: Api, phase: Phase, text: str) -> None:
    root = api.caller("root", Role.OPERATOR)
    for path, body in TEXT_BODIES:
        content = json.dumps(body).replace("@", json.dumps(text)[1:-1]).encode()

        answer = root.post(path, content=content, headers={"Content-Type": "application/json"})

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), (path, body)


def test_null_bytes_in_paths_and_queries_are_refused_at_the_edge(api: Api, phase: Phase) -> None:
    """On both databases alike, and on every route that has such a part."""
    root = api.caller("root", Role.OPERATOR)
    make_final(root)
    for path, operations in api.app.openapi()["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                name, kind = parameter["name"], parameter["in"]
                if kind == "header":
                    continue
                parts = SLUGS | dict.fromkeys(IDS, str(uuid4())) | ({"phase": "final"} if "/final" in path else {})
                query = {"filename": "a.py", "other": str(uuid4())} if method != "patch" else {}
                (parts if kind == "path" else query)[name] = "a\0b"
                answer = root.request(method.upper(), quoted(path, parts), params=query)
                assert (answer.status_code, answer.json()["code"]) in REFUSALS, (method, path, name)


def quoted(path: str, parts: dict[str, str]) -> str:
    return path.format(**{name: quote(value) for name, value in parts.items()})


REFUSALS = {(422, "invalid_request"), (422, "bad_cursor")}
EDGES = ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"]
OFFSETS = ["Z", "+00:01", "-00:01", "+14:00", "-23:59", "+23:59"]


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("offset", OFFSETS)
def test_moments_at_the_edge_of_the_calendar_are_refused(api: Api, phase: Phase, edge: str, offset: str) -> None:
    root = api.caller("root", Role.OPERATOR)
    moment = edge + offset
    new = {"slug": "x", "kind": "check", "benchmark": "tiny"}
    answers = [
        root.get(BOARD, params={"as_of": moment}),
        root.post("/api/competitions/cup/phases", json=new | {"closes_at": moment}),
        root.post("/api/competitions/cup/phases", json=new | {"opens_at": moment, "closes_at": LATER}),
        root.request("PATCH", "/api/competitions/cup/phases/feedback", json={"closes_at": moment}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(422, "invalid_request")] * 4


@pytest.mark.parametrize(
    "moment", ["1970-01-01T00:00:00-23:59", "1970-01-01T00:00:00+23:59", "9998-12-31T23:59:59-23:59"]
)
def test_moments_within_the_calendar_are_answered(api: Api, phase: Phase, moment: str) -> None:
    assert api.anonymous.get(BOARD, params={"as_of": moment}).status_code == 200


HUGE = "9" * 5000
JSON = {"Content-Type": "application/json"}
HOSTILE_PATHS = ["/%00", "/api/%00", "/%ed%a0%80", *(f"/api/docs/assets/{end}" for end in ("%00", "%ff", "a" * 5000))]
CODINGS = ["utf-7", "unicode_escape", "raw_unicode_escape", "utf-16", "nonsense", "rot13", "idna"]
HOSTILE_HEADERS = [
    {"Origin": "http://["},
    {"Cookie": "lethe_session=\xff; ;;=;\xe9"},
    {"Authorization": "Bearer \xff\xfe"},
    {"Last-Event-ID": HUGE},
    {"If-None-Match": "\xff"},
    {"Content-Length": HUGE},
    {"Content-Type": "application/json; charset=nonsense"},
    {"Accept": "\xff", "User-Agent": "\xff", "X-Request-ID": "\xff" * 70},
    {"Range": f"bytes={HUGE}-"},
    {"If-Modified-Since": "\xff"},
]


@pytest.mark.parametrize("headers", HOSTILE_HEADERS, ids=lambda headers: next(iter(headers)))
def test_no_header_is_a_fault_of_ours(api: Api, phase: Phase, headers: dict[str, str]) -> None:
    root = api.caller("root", Role.OPERATOR)
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    submission = root.submit().json()["id"]
    for caller in (root, api.anonymous):
        answers = [
            caller.get("/api/me", headers=encoded),
            caller.get(BOARD, headers=encoded),
            caller.get("/api/docs/assets/swagger-ui.css", headers=encoded),
            caller.post("/api/sessions", json={"username": "ada", "password": "x"}, headers=encoded),
            caller.post(SUBMIT, content=MODULE, params={"filename": "a.py"}, headers=encoded),
        ]
        if "Last-Event-ID" in headers:
            answers.append(caller.get(f"/api/submissions/{submission}/events", headers=encoded))
        assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        f'{{"slug": {HUGE}}}',
        '{"a":' * 100_000,
        '{"seeds": 1e999}',
        "NaN",
        f"[{HUGE}]",
        '{"\\ud800": "\\udfff"}',
    ],
    ids=lambda body: body[:12],
)
def test_no_json_is_a_fault_of_ours(api: Api, phase: Phase, body: str) -> None:
    root = api.caller("root", Role.OPERATOR)
    for path in ("/api/competitions", "/api/competitions/cup/phases", "/api/sessions", "/api/me/tokens"):
        answer = root.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), path
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("number", [HUGE, f"-{HUGE}", "1e999", "NaN", str(2**63), str(2**64)])
def test_no_number_is_a_fault_of_ours(api: Api, phase: Phase, number: str) -> None:
    root = api.caller("root", Role.OPERATOR)
    new = {"slug": "x", "kind": "check", "benchmark": "tiny", "closes_at": LATER}
    fields = ("seeds", "shard_seeds", "quota_per_day", "memory_bytes", "seed_timeout_s", "max_time_ratio", "opens_at")
    for field in fields:
        content = json.dumps(new | {field: "@"}).replace('"@"', number)
        answer = root.post(
            "/api/competitions/cup/phases", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), field
    for query in ({"limit": number}, {"as_of": number}, {"after": number}):
        assert root.get(BOARD, params=query).status_code == 422


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_no_path_is_a_fault_of_ours(api: Api, path: str) -> None:
    assert api.client.get(path).status_code in (400, 404, 422)


@pytest.mark.parametrize("coding", CODINGS)
def test_no_encoding_of_an_upload_is_a_fault_of_ours(api: Api, phase: Phase, participant: Caller, coding: str) -> None:
    """Some of them make lone surrogates of plain bytes, which then stand in the refusal."""
    for rest in (b"\\ud800 = (", b"'\\ud800' = 1", b"def unlearning\\ud800(): 1", b"+2AA- = 1"):
        data = f"# -*- coding: {coding} -*-\n".encode() + rest
        for filename in ("a.py", "a.ipynb", "a.zip"):
            assert participant.submit(data, filename=filename).status_code == 422


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


@pytest.mark.parametrize(
    "path", ["/api/health", "/api/nothing", "/api/docs", "/api/openapi.json", "/api/docs/start.js"]
)
def test_every_response_has_security_headers(api: Api, path: str) -> None:
    headers = api.client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert path.startswith("/api/docs") or headers["cache-control"] == "no-store"


def test_docs_load_nothing_from_elsewhere(api: Api) -> None:
    page = api.client.get("/api/docs").text

    assert "//" not in page
    for link in ("docs/assets/swagger-ui-bundle.js", "docs/assets/swagger-ui.css", "docs/start.js", "openapi.json"):
        assert api.client.get(f"/api/{link}").status_code == 200


def test_docs_renderer_knows_our_version_of_openapi(api: Api) -> None:
    """Swagger UI 4 answers OpenAPI 3.1 with an error page; 5 renders it."""
    bundle = api.client.get("/api/docs/assets/swagger-ui-bundle.js").text

    assert api.client.get("/api/openapi.json").json()["openapi"].startswith("3.1")
    assert 'PACKAGE_VERSION:"5.' in bundle


def test_front_door_leads_to_the_docs(api: Api) -> None:
    answer = api.client.get("/", follow_redirects=False)

    assert answer.status_code == 307
    assert answer.headers["location"] == "api/docs"


def test_operations_have_unique_names(tmp_path: Path) -> None:
    schema = create_app(make_settings(tmp_path, "")).openapi()
    names = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]

    assert len(names) == len(set(names))


def test_more_requests_than_threads_and_connections_all_succeed(api: Api) -> None:
    """Requests that hold a transaction and wait for a thread must not starve behind those that wait for them.

    A crowd is told to come back; these clients do so at once.
    """
    root = api.caller("root", Role.OPERATOR)

    def ask(number: int) -> httpx2.Response:
        if number % 2:
            return root.get("/api/competitions")
        return root.post("/api/competitions", json={"slug": f"c{number}", "title": "Cup"})

    def work(number: int) -> int:
        while (answer := ask(number)).status_code == 503:
            assert answer.json()["code"] == "overloaded"
        return answer.status_code

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

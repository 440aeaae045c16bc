"""What a page of another site can do through a reader's browser: nothing, whatever names point at us."""

import pytest
from starlette.testclient import TestClient

from services.api.app import create_app
from services.core.models import Role
from services.core.settings import Settings
from tests.api.harness import NO_WEB_APP, Api, running

CREDENTIALS = {"username": "ada", "password": "correct horse battery"}
KNOWN = [
    "localhost",
    "localhost:8000",
    "LOCALHOST:1",
    "a.localhost",
    "127.0.0.1:8000",
    "[::1]:8000",
    "192.0.2.7",
    "testserver",
]
UNKNOWN = [
    "rebound.example",
    "localhost.evil.example",
    "127.0.0.1.nip.example",
    "evillocalhost",
    "",
    "[",
    "[x]",
    "a b",
    "a@b",
    "x/..",
]
OWN = [("http://testserver", "http://testserver"), ("http://testserver:8000", "http://testserver:8000")]
OTHERS = [
    ("http://testserver", "https://testserver"),
    ("https://testserver", "http://testserver"),
    ("http://testserver:8000", "http://testserver:8001"),
    ("http://testserver", "http://testserver.evil.example"),
    ("http://testserver", "http://user@testserver"),
    ("http://testserver", "http://["),
    ("http://testserver", "null"),
    ("http://testserver", ""),
]


@pytest.mark.parametrize("host", KNOWN)
def test_addresses_localhost_and_names_of_the_setting_are_known(api: Api, host: str) -> None:
    assert api.client.get("/api/installation", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", UNKNOWN)
@pytest.mark.parametrize("path", ["/api/me", "/", "/api/docs", "/nothing"])
def test_any_other_name_is_refused_and_the_setting_named(api: Api, host: str, path: str) -> None:
    """A name that its owner points at us is how another site's page would read our answers."""
    answer = api.client.get(path, headers={"Host": host})

    assert (answer.status_code, answer.json()["code"]) == (421, "unknown_host")
    assert "LETHE_ALLOWED_HOSTS" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("allowed", "status"), [("a.example, Lethe.Example", 200), ("*", 200), ("a.example", 421), ("", 421)]
)
def test_the_operator_names_the_hosts(settings: Settings, allowed: str, status: int) -> None:
    with running(settings.model_copy(update={"allowed_hosts": allowed})) as api:
        assert api.client.get("/api/me", headers={"Host": "lethe.example"}).status_code == status


@pytest.mark.parametrize(("site", "origin"), OWN + OTHERS)
def test_an_origin_is_scheme_host_and_port(settings: Settings, site: str, origin: str) -> None:
    with running(settings) as api:
        client = TestClient(api.app, base_url=site)
        api.caller("root", Role.OPERATOR)

        answer = client.post("/api/sessions", json=CREDENTIALS, headers={"Origin": origin})

        own = (site, origin) in OWN
        assert (answer.status_code, answer.json()["code"]) == (
            (401, "bad_credentials") if own else (403, "cross_origin")
        )


def test_over_https_only_this_host_can_have_set_the_cookie(settings: Settings) -> None:
    with running(settings) as api:
        api.anonymous.post("/api/accounts", json=CREDENTIALS)
        client = TestClient(api.app, base_url="https://testserver")
        here = {"Origin": "https://testserver"}

        answer = client.post("/api/sessions", json=CREDENTIALS, headers=here)

        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-lethe_session=")
        assert "; Secure" in cookie and "; Path=/" in cookie and "omain" not in cookie
        assert client.get("/api/me").json()["account"]["username"] == "ada"
        assert client.delete("/api/sessions/current").json()["code"] == "cross_origin"
        ended = client.delete("/api/sessions/current", headers=here)
        assert ended.status_code == 204
        assert (
            ended.headers["set-cookie"].startswith('__Host-lethe_session=""')
            and "Secure" in ended.headers["set-cookie"]
        )


@pytest.mark.parametrize(
    ("site", "name"), [("https://testserver", "lethe_session"), ("http://testserver", "__Host-lethe_session")]
)
def test_a_cookie_of_the_other_scheme_proves_nobody(settings: Settings, site: str, name: str) -> None:
    """Over plain http anybody on the way can set the plain name, so https must not believe it."""
    with running(settings) as api:
        client = TestClient(api.app, base_url=site, cookies={name: api.caller("ada").token or ""})

        assert client.get("/api/me").json() is None


def test_without_a_setting_only_localhost_and_addresses_are_known(settings: Settings) -> None:
    client = TestClient(create_app(settings.model_copy(update={"allowed_hosts": ""}), web=NO_WEB_APP))

    assert client.get("/api/installation").status_code == 421
    assert client.get("/api/installation", headers={"Host": "127.0.0.1:8000"}).status_code == 200

"""Signing in with providers: a real one for what should work, and one that misbehaves for what should not."""

import base64
import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select

from services.api.openid import flow
from services.api.openid.fetching import MOST_BYTES
from services.core.models import Account, Identity, Outgoing, TokenKind
from services.core.settings import Settings
from services.core.store.database import utc_now
from tests.api.harness import ORIGIN, Api, Caller, make_settings, running
from tests.api.openid import KEY, Rogue, let_in, real_provider, rogue_provider

NEW = "another horse entirely"
BEGIN, RETURN = "/api/openid/uni", "/api/openid/uni/return"
ACCOUNTS, OWN = "/api/openid-accounts", "/api/me/identities"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with real_provider() as issuer:
        yield issuer


@pytest.fixture
def rogue() -> Iterator[Rogue]:
    with rogue_provider() as rogue:
        yield rogue


@pytest.fixture
def settings(tmp_path: Path, database_url: str, issuer: str, rogue: Rogue) -> Settings:
    secret = tmp_path / "client-secret"
    secret.write_text("a secret\n")
    common = {"client_id": "lethe", "title": "University"}
    providers = [
        common | {"name": "uni", "issuer": issuer, "client_secret_file": str(secret)},
        common | {"name": "rogue", "issuer": rogue.issuer},
    ]
    mail = {"smtp_host": "localhost", "mail_from": "lethe@example.org", "public_url": "https://lethe.example.org"}
    return make_settings(tmp_path, database_url, oidc=providers, **mail)


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    with running(settings) as api:
        yield api


def begin(caller: Caller, back: str = "/competitions") -> str:
    answer = caller.post(BEGIN, json={"back": back})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


def come_back(caller: Caller, subject: str) -> Any:
    """Go to the real provider and return."""
    return caller.post(RETURN, json=let_in(begin(caller), subject))


def sign_up(api: Api, username: str, subject: str) -> Caller:
    pending = come_back(api.anonymous, subject).json()["pending"]
    answer = api.anonymous.post(ACCOUNTS, json={"username": username, "pending": pending})
    assert answer.status_code == 201, answer.text
    api.client.cookies.clear()
    with api.database.read() as session:
        account = session.scalars(select(Account).where(Account.username == username)).one()
    return Caller(api.client, answer.json()["token"], account)


def link(caller: Caller, subject: str, **body: str) -> Any:
    answer = caller.post(OWN, json={"provider": "uni"} | body)
    return answer if answer.status_code != 200 else caller.post(RETURN, json=let_in(answer.json()["url"], subject))


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else ""


def identities(api: Api) -> list[tuple[str, str]]:
    rows = select(Account.username, Identity.subject).join(Identity, Identity.account_id == Account.id)
    with api.database.read() as session:
        return [(name, subject) for name, subject in session.execute(rows.order_by(Identity.subject))]


def test_somebody_signs_up_and_signs_in_again(api: Api) -> None:
    back = come_back(api.anonymous, "ada@uni").json()
    assert (back["outcome"], back["session"], back["back"]) == ("new", None, "/competitions")
    taken = api.anonymous.post(ACCOUNTS, json={"username": "admin", "pending": back["pending"]})
    assert code_of(taken) == (409, "name_reserved")
    made = api.anonymous.post(ACCOUNTS, json={"username": "ada", "pending": back["pending"]})
    assert made.status_code == 201
    assert api.client.cookies["lethe_session"] == made.json()["token"]
    assert "lethe_sign_in" not in api.client.cookies
    api.client.cookies.clear()

    again = come_back(api.anonymous, "ada@uni").json()
    assert (again["outcome"], again["session"]["account"]["username"]) == ("signed_in", "ada")
    me = Caller(api.client, again["session"]["token"])
    assert me.get("/api/me").json()["has_password"] is False
    assert [one["provider"] for one in me.get(OWN).json()] == ["University"]
    assert identities(api) == [("ada", "ada@uni")]


def test_closed_sign_up_lets_in_only_whom_it_knows(tmp_path: Path, settings: Settings) -> None:
    with running(settings) as api:
        sign_up(api, "ada", "ada@uni")
    with running(settings.model_copy(update={"sign_up": False})) as api:
        assert come_back(api.anonymous, "ada@uni").json()["outcome"] == "signed_in"
        api.client.cookies.clear()
        assert code_of(come_back(api.anonymous, "eve@uni")) == (403, "sign_up_closed")


def test_a_provider_is_linked_with_the_password_and_told_to_the_owner(api: Api) -> None:
    credentials = {"username": "ada", "password": "correct horse battery"}
    assert api.anonymous.post("/api/accounts", json=credentials).status_code == 201
    ada = Caller(api.client, api.anonymous.post("/api/sessions", json=credentials).json()["token"])
    api.client.cookies.clear()
    with api.database.write() as session:
        account = session.scalars(select(Account)).one()
        account.email, account.email_verified_at = "ada@example.org", utc_now()

    assert code_of(link(ada, "ada@uni")) == (403, "wrong_password")
    assert code_of(link(ada, "ada@uni", password="wrong")) == (403, "wrong_password")
    linked = link(ada, "ada@uni", password=credentials["password"]).json()
    assert (linked["outcome"], linked["back"], linked["session"]) == ("linked", "/account", None)
    assert link(ada, "ada@uni", password=credentials["password"]).json()["outcome"] == "linked"  # again: no harm
    with api.database.read() as session:
        assert [row.payload["what"] for row in session.scalars(select(Outgoing))] == ["identity"]
    eve = api.caller("eve")
    assert code_of(link(eve, "ada@uni")) == (409, "identity_taken")
    assert identities(api) == [("ada", "ada@uni")]

    [own] = ada.get(OWN).json()
    assert code_of(eve.request("DELETE", f"{OWN}/{own['id']}")) == (404, "not_found")
    assert ada.request("DELETE", f"{OWN}/{own['id']}").status_code == 204
    assert identities(api) == []


def test_the_last_way_in_stays_until_there_is_a_password(api: Api) -> None:
    ada = sign_up(api, "ada", "ada@uni")
    [own] = ada.get(OWN).json()
    assert code_of(ada.request("DELETE", f"{OWN}/{own['id']}")) == (409, "last_way_in")
    assert link(ada, "ada@lab").json()["outcome"] == "linked"
    assert ada.request("DELETE", f"{OWN}/{own['id']}").status_code == 204
    [own] = ada.get(OWN).json()
    assert (own["subject"], code_of(ada.request("DELETE", f"{OWN}/{own['id']}"))) == ("ada@lab", (409, "last_way_in"))
    assert ada.post("/api/me/password", json={"new_password": NEW}).status_code == 204
    assert ada.request("DELETE", f"{OWN}/{own['id']}").status_code == 204
    assert api.anonymous.post("/api/sessions", json={"username": "ada", "password": NEW}).status_code == 201


def test_a_token_links_and_unlinks_nothing(api: Api) -> None:
    token = api.caller("ada", kind=TokenKind.API)
    assert code_of(token.post(OWN, json={"provider": "uni"})) == (403, "session_needed")
    assert code_of(token.request("DELETE", f"{OWN}/{'0' * 8}-0000-4000-8000-{'0' * 12}")) == (403, "session_needed")


def test_a_link_counts_only_in_the_session_that_began_it(api: Api) -> None:
    ada, eve = api.caller("ada"), api.caller("eve")
    given = let_in(ada.post(OWN, json={"provider": "uni"}).json()["url"], "ada@uni")
    assert code_of(eve.post(RETURN, json=given)) == (422, "bad_sign_in")
    assert code_of(api.anonymous.post(RETURN, json=given)) == (422, "bad_sign_in")
    assert identities(api) == []
    assert ada.post(RETURN, json=given).json()["outcome"] == "linked"


def test_a_deleted_account_leaves_no_identity_and_an_export_lists_them(api: Api) -> None:
    ada = sign_up(api, "ada", "ada@uni")
    with ZipFile(io.BytesIO(ada.get("/api/me/export").content)) as exported:
        [listed] = json.loads(exported.read("identities.json"))
    assert listed["subject"] == "ada@uni"
    assert ada.post("/api/me/deletion", json={"username": "ada"}).status_code == 200
    assert identities(api) == []
    assert come_back(api.anonymous, "ada@uni").json()["outcome"] == "new"


def test_one_identity_that_signs_up_several_times_at_once_gets_one_account(api: Api) -> None:
    pending = come_back(api.anonymous, "ada@uni").json()["pending"]

    def make(number: int) -> tuple[int, str]:
        body = {"username": f"ada-{number}", "pending": pending}
        return code_of(api.anonymous.post(ACCOUNTS, json=body, headers={"Origin": ORIGIN}))

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(make, range(4)))
    assert answers == [(201, "")] + [(409, "identity_taken")] * 3
    with api.database.read() as session:
        assert len(session.scalars(select(Account)).all()) == len(identities(api)) == 1


def test_a_code_counts_once(api: Api) -> None:
    given = let_in(begin(api.anonymous), "ada@uni")
    cookie = api.client.cookies["lethe_sign_in"]
    assert api.anonymous.post(RETURN, json=given).status_code == 200
    api.client.cookies.clear()
    api.client.cookies.set("lethe_sign_in", cookie)
    assert code_of(api.anonymous.post(RETURN, json=given)) == (422, "provider_refused")


def test_a_return_needs_the_browser_the_state_and_the_provider_it_began_with(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = let_in(begin(api.anonymous), "ada@uni")
    cookie = api.client.cookies["lethe_sign_in"]
    content = json.loads(base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4)))

    def refused(cookie: str | None, path: str = RETURN, **changes: str) -> bool:
        api.client.cookies.clear()
        if cookie is not None:
            api.client.cookies.set("lethe_sign_in", cookie)
        return code_of(api.anonymous.post(path, json=given | changes)) == (422, "bad_sign_in")

    def packed(**changes: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content | changes).encode()).decode().rstrip("=")

    assert refused(None)
    assert refused("nonsense")
    assert refused("bnVsbA")
    assert refused(cookie, state="forged")
    assert refused(packed(back="/elsewhere"))
    assert refused(packed(begun_at=int(time.time()) + 60))
    assert refused(packed(begun_at="x"))
    assert refused(cookie, "/api/openid/rogue/return")
    api.client.cookies.clear()
    begin(api.anonymous)
    assert refused(api.client.cookies["lethe_sign_in"])
    with monkeypatch.context() as later:
        later.setattr("services.api.openid.flow.LIFETIME_S", -1)
        assert refused(cookie)
    assert not refused(cookie)


def test_a_pending_identity_is_signed_and_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = api.state.key
    right = flow.keep_pending(key, "https://uni", "ada")
    monkeypatch.setattr(flow, "LIFETIME_S", -1)
    late = flow.keep_pending(key, "https://uni", "ada")
    content, _, mac = right.partition(".")
    other = flow.keep_pending(b"another key", "https://uni", "ada")
    for pending in (late, other, content, f"{late.partition('.')[0]}.{mac}", "", ".", "a.b"):
        answer = api.anonymous.post(ACCOUNTS, json={"username": "ada", "pending": pending})
        assert code_of(answer) == (422, "bad_sign_in"), pending
    assert api.anonymous.post(ACCOUNTS, json={"username": "ada", "pending": right}).status_code == 201


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "/\tx", "evil", ""])
def test_nobody_is_led_to_another_site(api: Api, back: str) -> None:
    assert code_of(api.anonymous.post(BEGIN, json={"back": back})) == (422, "invalid_request")


def test_another_site_cannot_begin_or_finish(api: Api) -> None:
    headers = {"Origin": "https://evil.example"}
    given = let_in(begin(api.anonymous), "ada@uni")
    assert code_of(api.anonymous.post(BEGIN, json={}, headers=headers)) == (403, "cross_origin")
    assert code_of(api.anonymous.post(RETURN, json=given, headers=headers)) == (403, "cross_origin")
    assert api.anonymous.post(RETURN, json=given, headers={"Origin": ORIGIN}).status_code == 200


def test_a_refusal_at_the_provider_is_said(api: Api) -> None:
    given = let_in(begin(api.anonymous), "ada@uni")
    denied = {"state": given["state"], "error": "access_denied"}
    assert code_of(api.anonymous.post(RETURN, json=denied)) == (422, "provider_refused")
    assert code_of(api.anonymous.post("/api/openid/none", json={})) == (404, "unknown_provider")


def return_from(api: Api, rogue: Rogue, prepare: Callable[[], None] = lambda: None) -> Any:
    url = api.anonymous.post("/api/openid/rogue", json={}).json()["url"]
    query = rogue.begin(url)
    prepare()
    return api.anonymous.post("/api/openid/rogue/return", json={"state": query["state"], "code": "c"})


def test_a_code_is_bound_to_the_verifier_of_this_browser(api: Api, rogue: Rogue) -> None:
    url = api.anonymous.post("/api/openid/rogue", json={}).json()["url"]
    query = rogue.begin(url)
    answer = api.anonymous.post("/api/openid/rogue/return", json={"state": query["state"], "code": "c"})
    assert answer.json()["outcome"] == "new"
    [form] = [form for path, form in rogue.asked if path == "/token"]
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == query["code_challenge"]
    assert (query["code_challenge_method"], query["scope"]) == ("S256", "openid")
    assert form["redirect_uri"] == query["redirect_uri"] == "https://lethe.example.org/signed-in/rogue"
    assert [path for path, _ in rogue.asked].count("/jwks") == 1
    assert return_from(api, rogue).status_code == 200
    assert [path for path, _ in rogue.asked].count("/jwks") == 1


def unsigned(claims: dict[str, Any]) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def signed_by_hash(claims: dict[str, Any], key: bytes) -> str:
    """Sign with HS256, by hand: no library takes a public key for that."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, claims)]
    content = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    mac = hmac.digest(key, content.encode(), "sha256")
    return content + "." + base64.urlsafe_b64encode(mac).decode().rstrip("=")


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "audience": {"aud": "another"},
    "audience of several": {"aud": ["lethe", "another"]},
    "party": {"azp": "another"},
    "issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1},
    "no end": {"exp": None},
    "future": {"iat": 2**40},
    "not yet": {"nbf": 2**40},
    "no subject": {"sub": ""},
    "number as subject": {"sub": 1},
    "long subject": {"sub": "x" * 256},
    "hidden subject": {"sub": "ada\u0000"},
}


def test_a_token_about_something_else_is_refused(api: Api, rogue: Rogue) -> None:
    for name, claims in BAD_CLAIMS.items():
        answer = return_from(api, rogue, lambda claims=claims: rogue.claims.update(claims))  # type: ignore[misc]
        assert code_of(answer) == (422, "bad_identity"), name
    two = {"aud": ["lethe", "another"], "azp": "lethe"}
    assert return_from(api, rogue, lambda: rogue.claims.update(two)).status_code == 200


def test_a_token_signed_by_nobody_or_by_what_everybody_knows_is_refused(api: Api, rogue: Rogue) -> None:
    public = KEY.as_pem(private=False)
    strange = RSAKey.generate_key(2048)
    for sign in (
        unsigned,
        lambda claims: unsigned(claims) + "x",
        lambda claims: signed_by_hash(claims, public),
        lambda claims: signed_by_hash(claims, b"lethe"),
        lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, strange),
        lambda _claims: "nonsense",
        lambda _claims: "",
    ):
        rogue.sign = sign
        assert code_of(return_from(api, rogue)) == (422, "bad_identity")


def redirecting(handler: BaseHTTPRequestHandler) -> bool:
    """Lead to an address that answers well, and has the body of a good answer itself."""
    if "elsewhere" in handler.path:
        return False
    handler.send_response(302)
    handler.send_header("Location", f"{handler.path}?elsewhere")
    handler.end_headers()
    handler.wfile.write(right(handler))
    return True


def right(handler: BaseHTTPRequestHandler) -> bytes:
    """Return what would count, so that a test refuses how it comes and not what it says."""
    rogue: Rogue = handler.server.rogue  # type: ignore[attr-defined]
    return json.dumps(rogue.json(handler.path)).encode()


def garbage(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<html>\xff")
    return True


def too_long(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        handler.wfile.write(b" " * (MOST_BYTES + 1) + right(handler))
    return True


def dripping(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        for part in (b" ", b" ", b" ", b" ", right(handler)):
            time.sleep(0.2)
            handler.wfile.write(part)
    return True


def dripping_headers(handler: BaseHTTPRequestHandler) -> bool:
    with suppress(OSError):
        for part in (b"HTTP/1.0 200 OK\r\n", b"A: b\r\n", b"C: d\r\n", b"E: f\r\n", b"\r\n" + right(handler)):
            time.sleep(0.2)
            handler.wfile.write(part)
    return True


def silent(_handler: BaseHTTPRequestHandler) -> bool:
    time.sleep(1)
    return True


@pytest.mark.parametrize("answer", [redirecting, garbage, too_long, dripping, dripping_headers, silent])
def test_a_provider_that_misbehaves_is_given_up(
    api: Api, rogue: Rogue, answer: Callable[[BaseHTTPRequestHandler], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.openid.fetching.DEADLINE_S", 0.6)
    for path in ("/.well-known", "/token", "/jwks"):
        api.state.providers["rogue"]._document_at = float("-inf")
        rogue.answer = lambda handler, path=path: handler.path.startswith(path) and answer(handler)  # type: ignore[misc]
        begun = api.anonymous.post("/api/openid/rogue", json={})
        if path != "/.well-known":
            state = rogue.begin(begun.json()["url"])["state"]
            begun = api.anonymous.post("/api/openid/rogue/return", json={"state": state, "code": "c"})
        assert code_of(begun) == (503, "provider_unavailable"), path


def test_a_provider_that_is_another_or_names_strange_addresses_is_given_up(api: Api, rogue: Rogue) -> None:
    for document in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://169.254.169.254/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://[::1"},
        {"jwks_uri": 1},
    ):
        rogue.document = document
        assert code_of(api.anonymous.post("/api/openid/rogue", json={})) == (503, "provider_unavailable"), document


def test_a_provider_that_is_down_holds_nobody_else_up(tmp_path: Path, settings: Settings) -> None:
    gone = settings.oidc[1].model_copy(update={"issuer": "http://127.0.0.1:9"})
    with running(settings.model_copy(update={"oidc": (settings.oidc[0], gone)})) as api:
        assert code_of(api.anonymous.post("/api/openid/rogue", json={})) == (503, "provider_unavailable")
        assert begin(api.anonymous)


@pytest.mark.parametrize(
    "issuer", ["http://id.example.org", "id.example.org", "https://x@id.example.org", "https://a?b"]
)
def test_a_provider_is_named_by_an_https_address(tmp_path: Path, issuer: str) -> None:
    named = {"name": "uni", "title": "University", "issuer": issuer, "client_id": "lethe"}
    with pytest.raises(ValueError, match="must b"):
        make_settings(tmp_path, "", oidc=[named])


@pytest.mark.parametrize("changes", [{"name": "lab"}, {"issuer": "https://lab.example.org"}])
def test_two_providers_share_neither_name_nor_issuer(tmp_path: Path, changes: dict[str, str]) -> None:
    one = {"name": "uni", "title": "University", "issuer": "https://id.example.org", "client_id": "lethe"}
    other = {"name": "lab", "title": "Laboratory", "issuer": "https://lab.example.org", "client_id": "lethe"}
    assert len(make_settings(tmp_path, "", oidc=[one, other]).oidc) == 2
    with pytest.raises(ValueError, match="must not hold two providers with the same"):
        make_settings(tmp_path, "", oidc=[one | changes, other])

"""Living with an account: password, address, profile, sessions, scopes of tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select, update

from services.api.accounts.passwords import hash_password
from services.api.accounts.service import issue_token
from services.api.app import ROUTERS
from services.api.kit.policy import scope_of
from services.core.models import Account, AccountLink, AuditEvent, Outgoing, Role, Scope, TokenKind
from services.core.store.database import utc_now
from tests.api.harness import KEY, Api, Caller
from tests.api.test_policy import TABLE, call, cast

OLD, NEW = "correct horse battery", "another horse entirely"
LINK = "/api/password-resets/use"


@pytest.fixture
def ada(api: Api) -> Caller:
    """Somebody with a password, a session and a token."""
    caller = api.caller("ada")
    with api.database.write() as session:
        session.execute(update(Account).values(password_hash=hash_password(OLD)))
    return caller


def log_in(api: Api, password: str, username: str = "ada") -> Caller | None:
    answer = api.anonymous.post("/api/sessions", json={"username": username, "password": password})
    api.client.cookies.clear()
    assert answer.status_code in (201, 401), answer.text
    return Caller(api.client, answer.json()["token"]) if answer.status_code == 201 else None


def token_of(api: Api, caller: Caller, *scopes: Scope) -> Caller:
    assert caller.account is not None
    with api.database.write() as session:
        lifetime = timedelta(days=1)
        made = {"name": "ci", "kind": TokenKind.API, "lifetime": lifetime, "scopes": scopes}
        _, secret = issue_token(session, caller.account, KEY.encode(), **made)  # type: ignore[arg-type]
    return Caller(api.client, secret)


def works(caller: Caller | None) -> bool:
    return caller is not None and caller.get("/api/me").status_code == 200


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else ""


def test_a_new_password_ends_all_other_sessions_and_keeps_tokens(api: Api, ada: Caller) -> None:
    other, token = log_in(api, OLD), token_of(api, ada, Scope.READ)

    wrong = ada.post("/api/me/password", json={"password": "wrong", "new_password": NEW})
    assert code_of(wrong) == (403, "wrong_password")
    assert works(other)
    assert ada.post("/api/me/password", json={"password": OLD, "new_password": NEW}).status_code == 204

    assert [works(one) for one in (ada, other, token)] == [True, False, True]
    assert log_in(api, OLD) is None
    assert log_in(api, NEW)


def test_a_login_that_checked_the_old_password_gets_no_session_after_the_change(
    api: Api, ada: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check, which is slow, and the session the password may change."""
    from services.api.accounts import service

    checked = service.check_password

    def slow(*arguments: Any) -> Account:
        account = checked(*arguments)
        assert ada.post("/api/me/password", json={"password": OLD, "new_password": NEW}).status_code == 204
        return account

    monkeypatch.setattr(service, "check_password", slow)
    assert log_in(api, OLD) is None


def test_only_a_session_changes_what_could_take_an_account_over(api: Api, ada: Caller) -> None:
    token = token_of(api, ada, *Scope)
    for method, path in (
        ("POST", "/api/me/password"),
        ("POST", "/api/me/email"),
        ("POST", "/api/me/tokens"),
        ("POST", "/api/me/deletion"),
        ("POST", "/api/me/sessions/end-others"),
        ("GET", "/api/me/export"),
        ("PATCH", "/api/me"),
    ):
        assert code_of(token.request(method, path))[1] in ("session_needed", "invalid_request"), path
    assert code_of(token.post("/api/me/tokens", json={"name": "x"})) == (403, "session_needed")


def test_all_other_sessions_are_ended_at_once(api: Api, ada: Caller) -> None:
    others = [log_in(api, OLD) for _ in range(2)]
    token = token_of(api, ada, Scope.READ)

    assert ada.post("/api/me/sessions/end-others").json() == {"ended": 2}
    assert [works(one) for one in (*others, token, ada)] == [False, False, True, True]


def test_profile_and_preferences_are_kept(api: Api, ada: Caller) -> None:
    change = {
        "display_name": "Ada L.",
        "link": "https://example.org/ada",
        "time_zone": "Europe/Berlin",
        "theme": "dark",
    }
    assert ada.request("PATCH", "/api/me", json=change).status_code == 200
    shown = ada.request("PATCH", "/api/me", json={"mail_wanted": False}).json()
    assert shown["profile"] == {"display_name": "Ada L.", "affiliation": "", "link": "https://example.org/ada"}
    assert shown["preferences"] == shown["preferences"] | {
        "mail_wanted": False,
        "time_zone": "Europe/Berlin",
        "theme": "dark",
    }
    assert ada.get("/api/me").json() == shown


@pytest.mark.parametrize(
    "change",
    [
        *({"link": link} for link in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "http:///x", "x")),
        {"link": "https://example.org@evil.example/"},
        {"link": "https://[::1"},
        {"display_name": "a\u202eb"},
        {"affiliation": "a\r\nb"},
        {"time_zone": "../../etc/passwd\n"},
        {"theme": "pink"},
        {"role": "operator"},
    ],
)
def test_a_profile_takes_no_trap(ada: Caller, change: dict[str, str]) -> None:
    assert code_of(ada.request("PATCH", "/api/me", json=change)) == (422, "invalid_request")


@pytest.mark.parametrize(
    "email", ["ada", "a@b", "a@b.de\r\nBcc: eve@b.de", "a b@c.de", "a@b.de, c@d.de", "<a@b.de>", "\u0430@b.de"]
)
def test_an_address_holds_no_header_and_no_second_address(ada: Caller, email: str) -> None:
    assert code_of(ada.post("/api/me/email", json={"password": OLD, "email": email})) == (422, "invalid_request")


def test_an_address_is_set_with_the_password_only(ada: Caller) -> None:
    assert code_of(ada.post("/api/me/email", json={"email": "ada@example.org"})) == (403, "wrong_password")
    shown = ada.post("/api/me/email", json={"password": OLD, "email": " Ada@Example.org "}).json()
    assert shown["email"] == {"address": "ada@example.org", "verified": False}
    assert code_of(ada.post("/api/me/email/verification")) == (409, "mail_not_configured")
    assert ada.post("/api/me/email", json={"password": OLD, "email": None}).json()["email"] is None


def link_of(api: Api, username: str = "ada") -> str:
    """Have an operator make a link; return its secret."""
    root = api.caller("root-op", Role.OPERATOR)
    answer = root.post(f"/api/admin/accounts/{username}/reset")
    assert answer.status_code == 201, answer.text
    url, _, secret = answer.json()["url"].partition("#")
    assert url.endswith("/reset-password")
    return str(secret)


def use(api: Api, secret: str, new: str = NEW) -> tuple[int, str]:
    return code_of(api.anonymous.post(LINK, json={"token": secret, "new_password": new}))


def test_an_operators_link_works_once_ends_sessions_and_is_on_record(api: Api, ada: Caller) -> None:
    token, secret = token_of(api, ada, Scope.READ), link_of(api)
    with api.database.read() as session:
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.act == "reset_link_made"))
    assert ada.account is not None
    assert event.details["account"] == str(ada.account.id)

    assert use(api, secret) == (204, "")
    assert [works(ada), works(token)] == [False, True]
    assert log_in(api, NEW)
    assert use(api, secret, "yet another horse") == (422, "bad_link")
    assert log_in(api, NEW)


def test_a_link_that_is_used_by_many_at_once_counts_once(api: Api, ada: Caller) -> None:
    secret = link_of(api)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: use(api, secret, f"{NEW} {number}"), range(6)))
    assert sorted(answers) == [(204, "")] + [(422, "bad_link")] * 5
    assert sum(log_in(api, f"{NEW} {number}") is not None for number in range(6)) == 1


def test_a_link_ends_after_an_hour_and_with_the_next_new_password(api: Api, ada: Caller) -> None:
    late = link_of(api)
    with api.database.write() as session:
        session.execute(update(AccountLink).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert use(api, late) == (422, "bad_link")
    assert use(api, "lethe_" + "0" * 46) == use(api, "nonsense") == (422, "bad_link")
    with api.database.write() as session:
        session.execute(update(AccountLink).values(expires_at=utc_now() + timedelta(minutes=59)))
    assert ada.post("/api/me/password", json={"password": OLD, "new_password": NEW}).status_code == 204
    assert use(api, late) == (422, "bad_link")


def test_without_mail_nobody_is_told_whether_a_name_exists(api: Api, ada: Caller) -> None:
    answers = [api.anonymous.post("/api/password-resets", json={"name": name}) for name in ("ada", "nobody-here")]
    assert [code_of(one) for one in answers] == [(409, "mail_not_configured")] * 2
    assert answers[0].json() == answers[1].json()
    with api.database.read() as session:
        assert session.scalars(select(Outgoing)).all() == []


ANY = None
SUBMITS = {
    *(("POST", f"/api/{path}") for path in ("teams", "competitions/{slug}/registration")),
    ("POST", "/api/competitions/{slug}/phases/{phase}/submissions"),
    ("POST", "/api/competitions/{slug}/phases/{phase}/submissions/check"),
    *(("POST", f"/api/submissions/{{submission_id}}/{act}") for act in ("cancel", "withdraw", "reenter")),
    ("PUT", "/api/competitions/{slug}/phases/{phase}/final/selection/{submission_id}"),
    ("DELETE", "/api/competitions/{slug}/phases/{phase}/final/selection/{submission_id}"),
    *((method, f"/api/submissions/{{submission_id}}/{of}") for method, of in (("PUT", "note"), ("PUT", "agreement"))),
    ("DELETE", "/api/submissions/{submission_id}/agreement"),
    *((method, "/api/submissions/{submission_id}/share") for method in ("PUT", "DELETE")),
    ("POST", "/api/competitions/{slug}/teams"),
    ("PATCH", "/api/teams/{name}"),
    *(("POST", f"/api/teams/{{name}}/{act}") for act in ("leave", "captain", "invitations", "offers", "merge")),
    ("POST", "/api/teams/{name}/invitations/{invitation_id}/revoke"),
    ("DELETE", "/api/teams/{name}/members/{username}"),
    *(("POST", f"/api/{path}") for path in ("joining", "joining/preview", "me/notices/read", "me/webhooks")),
    *(("POST", f"/api/offers/{{offer_id}}/{act}") for act in ("accept", "decline")),
    *(("POST", f"/api/me/webhooks/{{webhook_id}}/{act}") for act in ("test", "calls/{call_id}/repeat")),
    ("DELETE", "/api/me/webhooks/{webhook_id}"),
}
OPERATES = {
    ("POST", "/api/admin/accounts"),
    ("PATCH", "/api/admin/accounts/{username}"),
    ("POST", "/api/admin/accounts/{username}/reset"),
    ("PATCH", "/api/competitions/{slug}"),
}
BY_ANY = {
    *(("POST", f"/api/{path}") for path in ("accounts", "sessions", "email-verifications", "password-resets")),
    ("POST", "/api/password-resets/use"),
    ("POST", "/api/mail-stops/{link}"),
    *(("POST", f"/api/{path}") for path in ("openid/{name}", "openid-accounts")),
    ("DELETE", "/api/sessions/current"),
}
PUBLIC_READS = {
    *(("GET", f"/api/{path}") for path in ("health", "installation", "benchmarks", "environments", "metrics")),
    *(("GET", f"/api/{path}") for path in ("environments/{name}", "starting-kit", "record", "record/{number}")),
    ("GET", "/api/receipts/key"),
    ("GET", "/api/teams/{name}/preview.png"),
    *(("GET", f"/api/shared/{{submission_id}}{of}") for of in ("", "/preview.png", "/citation.{form}")),
    ("GET", "/api/competitions/{slug}/announcements.atom"),
    ("GET", "/api/competitions/{slug}/phases/{phase}/starting-kit"),
    ("GET", "/api/competitions/{slug}/phases/{phase}/badges/{team}.svg"),
    ("GET", "/api/competitions/{slug}/phases/{phase}/board.svg"),
    *(("GET", f"/api/competitions/{{slug}}/{path}") for path in ("preview.png", "citation.{form}")),
    ("GET", "/api/competitions/{slug}/phases/{phase}/preview.png"),
    ("GET", "/api/competitions/{slug}/phases/{phase}/citations/{team}.{form}"),
}
BY_READERS = {("POST", "/api/openid/{name}/return")}  # signs in; whoever is signed in already links, in person
IN_PERSON = {
    ("PATCH", "/api/me"),
    ("DELETE", "/api/me/tokens/{token_id}"),
    ("POST", "/api/me/identities"),
    ("DELETE", "/api/me/identities/{identity_id}"),
    ("GET", "/api/me/export"),
    *(("POST", f"/api/me/{path}") for path in ("tokens", "password", "email", "email/verification", "deletion")),
    ("POST", "/api/me/sessions/end-others"),
}


def expected(route: tuple[str, str]) -> Scope | None:
    """Every route x scope: what reads needs `read`, what is not listed above changes a competition."""
    if route in IN_PERSON | BY_ANY | PUBLIC_READS:
        return ANY
    if route[0] == "GET" or route in BY_READERS:
        return Scope.READ
    return Scope.SUBMIT if route in SUBMITS else Scope.OPERATE if route in OPERATES else Scope.ORGANISE


def test_routes_need_the_scope_of_the_table() -> None:
    declared = {
        (method, f"/api{route.path}"): scope_of(route)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert set(declared) >= SUBMITS | OPERATES | BY_ANY | PUBLIC_READS | IN_PERSON
    assert declared == {route: expected(route) for route in TABLE}


def few_of_each() -> list[tuple[str, str]]:
    """Choose two routes of each scope, and two that need a session: one rule answers for all others."""
    kinds: dict[object, list[tuple[str, str]]] = {}
    for route in TABLE:
        kinds.setdefault("session" if route in IN_PERSON else expected(route), []).append(route)
    return [route for routes in kinds.values() for route in routes[:2]]


@pytest.mark.parametrize("scope", Scope)
def test_a_token_beyond_its_scope_is_told_which_it_needs(api: Api, scope: Scope) -> None:
    token = token_of(api, cast(api, "operator"), scope)
    for route in few_of_each():
        needed = expected(route)
        status, code = call(token, *route)
        if route in IN_PERSON:
            assert (status, code) == (403, "session_needed"), route
        elif needed in (ANY, scope):
            assert code not in ("scope_needed", "session_needed"), (route, status)
        else:
            assert (status, code) == (403, "scope_needed"), route
    refused = token.get("/api/submissions") if scope is not Scope.READ else token.post("/api/teams", json={"name": "x"})
    assert refused.json()["scope"] == ("submit" if scope is Scope.READ else "read")
    assert f"scope {refused.json()['scope']}" in refused.json()["detail"]
    assert token.request("DELETE", "/api/sessions/current").status_code == 204


def test_a_token_is_made_with_scopes_and_shows_them(ada: Caller) -> None:
    made = ada.post("/api/me/tokens", json={"name": "ci"}).json()
    assert made["scopes"] == ["read", "submit"]
    made = ada.post("/api/me/tokens", json={"name": "ci", "scopes": ["organise", "read", "read"]}).json()
    assert made["scopes"] == ["read", "organise"]
    assert ada.get("/api/me/tokens").json()["items"][0]["scopes"] == ["read", "organise"]
    assert code_of(ada.post("/api/me/tokens", json={"name": "ci", "scopes": []})) == (422, "invalid_request")

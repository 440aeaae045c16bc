"""Signing up, logging in, tokens and teams."""

from datetime import timedelta
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select
from starlette.testclient import TestClient

from services.api.accounts.passwords import _hasher as hasher_in_use  # before the fixtures replace it
from services.api.accounts.passwords import verify_password
from services.api.accounts.service import create_account, create_token
from services.core.models import Role, Token, TokenKind
from services.core.settings import SandboxKind, Settings
from services.core.store.database import utc_now
from tests.api.harness import KEY, ORIGIN, Api, Caller, make_settings, running

CREDENTIALS = {"username": "ada", "password": "correct horse battery"}
HERE = {"Origin": ORIGIN}


def test_sign_up_makes_account_and_team_of_one(api: Api) -> None:
    answer = api.anonymous.post("/api/accounts", json=CREDENTIALS)

    assert answer.status_code == 201
    assert answer.json()["account"]["username"] == "ada"
    assert answer.json()["account"]["role"] == "participant"
    assert [team["name"] for team in answer.json()["teams"]] == ["ada"]
    assert "correct horse" not in answer.text


def test_a_hash_of_a_password_takes_one_pass_over_46_mib() -> None:
    assert hasher_in_use.hash("correct horse").startswith("$argon2id$v=19$m=47104,t=1,p=1$")


def test_hashes_with_an_earlier_setting_are_still_checked() -> None:
    earlier = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=65536, parallelism=4),)).hash("correct horse")
    assert verify_password("correct horse", earlier)
    assert not verify_password("correct house", earlier)


def test_sign_up_is_refused_when_the_name_is_taken(api: Api) -> None:
    api.anonymous.post("/api/accounts", json=CREDENTIALS)

    answer = api.anonymous.post("/api/accounts", json=CREDENTIALS)

    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


@pytest.mark.parametrize(
    ("taken", "wanted"), [("bob-10", "b0b-1o"), ("modern", "modem"), ("vvill", "wi11"), ("a-b", "a--b"), ("rnm", "mrn")]
)
def test_names_that_look_alike_are_one_name(api: Api, taken: str, wanted: str) -> None:
    answers = [api.anonymous.post("/api/accounts", json=CREDENTIALS | {"username": one}) for one in (taken, wanted)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "name_taken"


@pytest.mark.parametrize("username", ["admin", "adm1n", "l-e-t-h-e", "1ethe", "r00t", "organiser", "me", "systern"])
def test_names_of_authority_are_given_by_operators_only(api: Api, username: str) -> None:
    new = CREDENTIALS | {"username": username}

    answer = api.anonymous.post("/api/accounts", json=new)

    assert (answer.status_code, answer.json()["code"]) == (409, "name_reserved")
    assert api.caller("boss", Role.OPERATOR).post("/api/admin/accounts", json=new).status_code == 201


def test_every_name_is_ascii_so_no_other_script_can_imitate_it(api: Api) -> None:
    for username in ("\u0430da", "ad\u0430", "\uff41da", "ada\u200b", "\u0251da", "\U0001d41ada"):
        assert api.anonymous.post("/api/accounts", json=CREDENTIALS | {"username": username}).status_code == 422


@pytest.mark.parametrize(
    "username",
    ["", "Ada", "a" * 40, "-ada", "ada-", "a da", "ad\u00e0", "a\n", "a/b", "a_b", " ", "\u0430\u043d\u043d\u0430"],
)
def test_sign_up_is_refused_when_the_name_is_not_plain(api: Api, username: str) -> None:
    answer = api.anonymous.post("/api/accounts", json=CREDENTIALS | {"username": username})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "body.username"
    assert error["problem"].startswith("use 1 to 39 of the letters a-z, digits and hyphens (-)")


def test_problems_do_not_repeat_the_password(api: Api) -> None:
    answer = api.anonymous.post("/api/accounts", json={"username": "ada", "password": "short-se"})

    assert answer.status_code == 422
    assert "short-se" not in answer.text
    assert answer.json()["detail"].endswith("password: use at least 10 characters, and at most 200.")


def test_sign_up_is_closed_with_the_process_sandbox(tmp_path: Path, database_url: str) -> None:
    """The process sandbox isolates nothing, so no setting opens it to strangers."""
    settings = make_settings(tmp_path, database_url, sandbox=SandboxKind.PROCESS, sign_up=True)
    with running(settings) as api:
        answer = api.anonymous.post("/api/accounts", json=CREDENTIALS)

        assert (answer.status_code, answer.json()["code"]) == (403, "sign_up_closed")


def test_operator_makes_accounts_where_sign_up_is_closed(settings: Settings) -> None:
    with running(settings.model_copy(update={"sign_up": False})) as api:
        root = api.caller("root", Role.OPERATOR)
        new = CREDENTIALS | {"role": "organiser"}

        assert api.anonymous.post("/api/accounts", json=CREDENTIALS).json()["code"] == "sign_up_closed"
        assert root.post("/api/admin/accounts", json=new).json()["account"]["role"] == "organiser"
        assert api.anonymous.post("/api/sessions", json=CREDENTIALS).status_code == 201


def test_login_sets_a_cookie_that_scripts_cannot_read(api: Api) -> None:
    api.anonymous.post("/api/accounts", json=CREDENTIALS)

    answer = api.anonymous.post("/api/sessions", json=CREDENTIALS)

    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 201
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert api.client.get("/api/me").json()["account"]["username"] == "ada"
    assert Caller(api.client, answer.json()["token"]).get("/api/me").status_code == 200


def test_logout_ends_cookie_and_token(api: Api) -> None:
    api.anonymous.post("/api/accounts", json=CREDENTIALS)
    token = api.anonymous.post("/api/sessions", json=CREDENTIALS).json()["token"]

    assert api.client.delete("/api/sessions/current", headers=HERE).status_code == 204

    assert api.client.cookies.get("lethe_session") is None
    assert Caller(api.client, token).get("/api/me").json()["code"] == "not_signed_in"


@pytest.mark.parametrize("wrong", [{"username": "bob"}, {"password": "wrong horse battery"}])
def test_login_does_not_say_which_half_is_wrong(api: Api, wrong: dict[str, str]) -> None:
    api.anonymous.post("/api/accounts", json=CREDENTIALS)

    answer = api.anonymous.post("/api/sessions", json=CREDENTIALS | wrong)

    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    assert answer.json()["detail"] == "Username or password is wrong. Check both and try again."


def test_a_rival_elsewhere_locks_nobody_out(settings: Settings) -> None:
    with running(settings) as api:
        rival = TestClient(api.app, base_url=ORIGIN, client=("192.0.2.7", 1))
        api.anonymous.post("/api/accounts", json=CREDENTIALS)
        wrong = CREDENTIALS | {"password": "wrong horse battery"}

        guesses = [rival.post("/api/sessions", json=wrong).status_code for _ in range(15)]

        assert guesses == [401] * 10 + [429] * 5
        assert api.anonymous.post("/api/sessions", json=CREDENTIALS).status_code == 201


def test_logins_are_limited_for_a_username(api: Api) -> None:
    answers = [api.anonymous.post("/api/sessions", json=CREDENTIALS) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) > 0


def test_cross_origin_login_is_refused(api: Api) -> None:
    """A foreign page that logs a victim in as the attacker reads what the victim then uploads."""
    answer = api.anonymous.post("/api/sessions", json=CREDENTIALS, headers={"Origin": "http://evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")


def test_tokens_are_shown_once_listed_and_revoked(api: Api) -> None:
    ada = api.caller("ada")

    made = ada.post("/api/me/tokens", json={"name": "ci", "expires_in_days": 7}).json()
    listed = ada.get("/api/me/tokens").json()["items"]

    assert made["token"].startswith("lethe_")
    assert [token["name"] for token in listed] == ["ci", "test"]
    assert all("token" not in token for token in listed)
    script = Caller(api.client, made["token"])
    assert script.get("/api/me").status_code == 200
    assert ada.request("DELETE", f"/api/me/tokens/{made['id']}").status_code == 204
    assert script.get("/api/me").json()["code"] == "not_signed_in"
    assert ada.request("DELETE", f"/api/me/tokens/{made['id']}").status_code == 404


def test_only_keyed_digests_are_stored(api: Api) -> None:
    ada = api.caller("ada")

    with api.database.read() as session:
        stored = session.scalars(select(Token)).one()

    assert ada.token not in (stored.digest, stored.name)
    assert len(stored.digest) == 64


def test_a_token_makes_no_tokens(api: Api) -> None:
    """Whoever finds a leaked token must not be able to outlive its revocation."""
    script = api.caller("ada", kind=TokenKind.API)

    answer = script.post("/api/me/tokens", json={"name": "more"})

    assert (answer.status_code, answer.json()["code"]) == (403, "session_needed")


def test_tokens_of_others_can_neither_be_seen_nor_revoked(api: Api) -> None:
    ada, eve = api.caller("ada"), api.caller("eve")
    token_id = ada.get("/api/me/tokens").json()["items"][0]["id"]

    assert eve.request("DELETE", f"/api/me/tokens/{token_id}").status_code == 404
    assert ada.get("/api/me").status_code == 200


def test_expired_tokens_open_nothing(api: Api) -> None:
    ada = api.caller("ada")
    with api.database.write() as session:
        session.scalars(select(Token)).one().expires_at = utc_now() - timedelta(seconds=1)

    assert ada.get("/api/me").json()["code"] == "not_signed_in"
    assert ada.get("/api/metrics").status_code == 200


def test_an_old_cookie_still_reads_what_everybody_may(api: Api) -> None:
    api.client.cookies.set("lethe_session", "lethe_old")

    assert api.client.get("/api/competitions").status_code == 200
    assert api.client.get("/api/me").json() is None


def test_nobody_is_told_so(api: Api) -> None:
    """A page asks this before it knows whether anybody is signed in, and to be nobody is no error."""
    answer = api.anonymous.get("/api/me")

    assert (answer.status_code, answer.json()) == (200, None)
    assert Caller(api.client, "lethe_wrong").get("/api/me").status_code == 401


def test_the_token_of_a_request_is_marked_among_its_own(api: Api) -> None:
    ada = api.caller("ada")
    made = ada.post("/api/me/tokens", json={"name": "ci"}).json()

    def marked(caller: Caller) -> list[str]:
        return [token["name"] for token in caller.get("/api/me/tokens").json()["items"] if token["is_current"]]

    assert made["is_current"] is False
    assert (marked(ada), marked(Caller(api.client, made["token"]))) == (["test"], ["ci"])


def test_a_participant_has_one_team_and_an_operator_many(api: Api) -> None:
    ada, root = api.caller("ada"), api.caller("root", Role.OPERATOR)

    assert ada.post("/api/teams", json={"name": "second"}).json()["code"] == "one_team_only"
    assert root.post("/api/teams", json={"name": "second"}).status_code == 201
    assert root.post("/api/teams", json={"name": "second"}).json()["code"] == "name_taken"
    assert [team["name"] for team in root.get("/api/me").json()["teams"]] == ["root", "second"]


def test_first_operator_is_made_without_the_api(api: Api) -> None:
    with api.database.write() as session:
        account = create_account(session, "root", "correct horse battery", Role.OPERATOR)
        token = create_token(session, account, KEY.encode(), name="setup")

    assert Caller(api.client, token).get("/api/admin/queue").status_code == 200

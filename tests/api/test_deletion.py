"""Deleting one's own account, and taking one's data along."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select, update

from services.api.accounts.passwords import hash_password
from services.core.models import (
    Account,
    AuditEvent,
    Outgoing,
    OutgoingKind,
    Phase,
    Registration,
    Role,
    SubmissionNote,
    Team,
    Token,
    UploadKey,
)
from services.core.outbox import post
from services.core.record.chain import check_chain, link, links
from services.core.store.database import Base
from tests.api.harness import BOARD, MODULE, SUBMIT, Api, Caller, numbered
from tests.api.people import add_member
from tests.api.rescoring import submit_scored
from tests.api.teams import create, join, members
from tests.api.teams import link as link_to
from tests.api.test_sealed import Contest

PASSWORD = "correct horse battery"
DELETION = "/api/me/deletion"
SECRETS = ("'ada'", "ada@example.org", "Ada Example", "Example University", "ada.example.org", "test agent")


@pytest.fixture
def ada(api: Api, phase: Phase) -> Caller:
    """Somebody with everything that an account can have."""
    caller = api.caller("ada")
    assert caller.account is not None
    with api.database.write() as session:
        hashed = {"password_hash": hash_password(PASSWORD)}
        session.execute(update(Account).where(Account.id == caller.account.id).values(hashed))
        post(session, OutgoingKind.ALERT_MAIL, account_id=caller.account.id, payload={"email": "ada@example.org"})
    profile = {"display_name": "Ada Example", "affiliation": "Example University", "link": "https://ada.example.org"}
    assert caller.request("PATCH", "/api/me", json=profile).status_code == 200
    assert caller.post("/api/me/email", json={"password": PASSWORD, "email": "ada@example.org"}).status_code == 200
    login = {"username": "ada", "password": PASSWORD}
    assert api.anonymous.post("/api/sessions", json=login, headers={"User-Agent": "test agent"}).status_code == 201
    api.client.cookies.clear()
    return caller


def delete(caller: Caller, **body: str) -> Any:
    return caller.post(DELETION, json={"username": "ada", "password": PASSWORD} | body)


def everything(api: Api) -> str:
    """All that the database holds, in one text."""
    with api.database.read() as session:
        rows = [row for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    return "\n".join(map(repr, rows))


def test_nothing_of_a_person_is_left_and_the_board_stays(api: Api, ada: Caller, organiser: Caller) -> None:
    add_member(organiser, "ada", "reviewer")
    submission = submit_scored(api, ada, numbered(1), 0.5)
    receipt = ada.get(f"/api/submissions/{submission}/receipt").json()
    with api.database.write() as session:
        link(session)
    before = everything(api)
    assert all(secret in before for secret in SECRETS)

    tag = organiser.get(BOARD).headers["ETag"]

    foreseen = ada.get(DELETION).json()
    assert (foreseen["submissions"], foreseen["submissions_open"], foreseen["owned_competitions"]) == (1, 0, [])
    answer = delete(ada)
    assert answer.status_code == 200, answer.text
    pseudonym = answer.json()["pseudonym"]
    assert pseudonym.startswith("deleted-")

    after = everything(api)
    assert [secret for secret in SECRETS if secret in after.replace("metadata", "")] == []
    assert ada.get("/api/submissions").status_code == 401
    [entry] = organiser.get(BOARD, headers={"If-None-Match": tag}).json()["items"]
    assert (entry["entry"], entry["final_score"]) == (pseudonym, 0.5)
    with api.database.write() as session:
        link(session)
        report = check_chain(links(session))
    assert (report.problems, report.links > 0) == ([], True)
    assert receipt["statement"]["team"] == "ada"
    with api.database.read() as session:
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.act == "account_deleted"))
        assert session.scalars(select(Registration.username)).all() == [pseudonym]
        assert session.scalars(select(Outgoing)).all() == []
        assert session.scalars(select(Token).where(Token.account_id == event.account_id)).all() == []
        assert set(session.scalars(select(Team.name))) == {"organiser", pseudonym}


def test_a_captain_leaves_the_team_to_whoever_was_there_longest(api: Api, ada: Caller) -> None:
    create(ada, "gulls")
    eve, zoe = api.caller("eve"), api.caller("zoe")
    for caller in (zoe, eve):
        assert join(caller, link_to(ada, "gulls")) == 200
    submission = submit_scored(api, ada, numbered(1), 0.5)
    assert eve.request("PUT", f"/api/submissions/{submission}/note", json={"note": "ours", "tags": []}).is_success

    assert delete(ada).status_code == 200

    assert members(eve, "gulls") == [("zoe", "captain"), ("eve", "member")]
    assert [one["entry"] for one in api.anonymous.get(BOARD).json()["items"]] == ["gulls"]
    assert eve.get(f"/api/submissions/{submission}").json()["note"] == "ours"


def test_a_team_of_one_in_a_competition_loses_its_name_and_notes_too(api: Api, ada: Caller) -> None:
    create(ada, "the-examples")
    submission = submit_scored(api, ada, numbered(1), 0.5)
    assert ada.request("PUT", f"/api/submissions/{submission}/note", json={"note": "mine", "tags": []}).is_success

    assert delete(ada).status_code == 200

    (entry,) = api.anonymous.get(BOARD).json()["items"]
    assert entry["entry"].startswith("deleted-")
    with api.database.read() as session:
        assert session.scalars(select(SubmissionNote)).all() == []
        assert session.scalars(select(UploadKey)).all() == []
        assert "the-examples" not in set(session.scalars(select(Team.name)))


def test_the_name_is_free_again_and_a_pseudonym_is_nobodys(api: Api, ada: Caller) -> None:
    pseudonym = delete(ada).json()["pseudonym"]
    new = {"username": "ada", "password": PASSWORD}
    assert api.anonymous.post("/api/accounts", json=new).status_code == 201
    for name in (pseudonym, "deleted-0000ff", "de1eted-1", "deleted--2", "delet-ed-3"):
        answer = api.anonymous.post("/api/accounts", json=new | {"username": name})
        assert answer.json()["code"] == "name_reserved", name
    login = {"username": pseudonym, "password": PASSWORD}
    assert api.anonymous.post("/api/sessions", json=login).status_code == 401


def test_it_is_confirmed_by_username_and_password(api: Api, ada: Caller) -> None:
    assert delete(ada, password="wrong").json()["code"] == "wrong_password"
    assert delete(ada, username="eve").json()["code"] == "other_username"
    assert ada.get("/api/me").json()["account"]["username"] == "ada"


def test_an_owner_hands_over_first_and_the_last_operator_stays(api: Api, organiser: Caller, phase: Phase) -> None:
    refused = delete(organiser, username="organiser")
    assert (refused.status_code, refused.json()["code"]) == (409, "owns_competitions")
    assert refused.json()["competitions"] == ["cup"]
    assert "hand-over cup USERNAME" in refused.json()["detail"]


def test_the_last_operator_stays_even_if_two_go_at_once(api: Api) -> None:
    operators = [api.caller(name, Role.OPERATOR) for name in ("root-a", "root-b")]

    def go(caller: Caller) -> int:
        assert caller.account is not None
        return int(caller.post(DELETION, json={"username": caller.account.username}).status_code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, operators)) == [200, 409]
    with api.database.read() as session:
        assert len(session.scalars(select(Account).where(Account.role == Role.OPERATOR)).all()) == 1


def test_uploads_that_meet_the_deletion_are_all_kept_under_the_pseudonym_or_refused(api: Api, ada: Caller) -> None:
    def upload(number: int) -> int:
        return int(ada.submit(numbered(number)).status_code)

    with ThreadPoolExecutor(5) as pool:
        uploads = [pool.submit(upload, number) for number in range(4)]
        deleted = pool.submit(lambda: delete(ada).status_code)
    assert deleted.result() == 200
    assert {one.result() for one in uploads} <= {201, 401}
    assert "'ada'" not in everything(api)


def test_a_competition_cannot_be_handed_to_whoever_is_deleting_an_account(
    api: Api, ada: Caller, organiser: Caller
) -> None:
    with ThreadPoolExecutor(2) as pool:
        gone = pool.submit(lambda: delete(ada).status_code)
        handed = pool.submit(
            lambda: organiser.post("/api/competitions/cup/owner", json={"username": "ada"}).status_code
        )
    assert (gone.result(), handed.result()) in ((200, 404), (409, 204))


def unzipped(answer: Any) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_export_holds_all_own_data_and_no_others(api: Api, ada: Caller) -> None:
    rival = api.caller("rival")
    rival.submit(numbered(99))
    ids = [ada.submit(numbered(number)).json()["id"] for number in range(3)]
    assert ada.post("/api/me/webhooks", json={"url": "https://example.org/mine"}).status_code == 201

    found = unzipped(ada.get("/api/me/export"))

    account = json.loads(found["account.json"])
    assert account["email"]["address"] == "ada@example.org"
    assert account["profile"]["display_name"] == "Ada Example"
    assert [one["kind"] for one in json.loads(found["tokens.json"])] == ["session", "session"]
    assert json.loads(found["competitions.json"])["registrations"][0]["competition"] == "cup"
    assert [one["url"] for one in json.loads(found["webhooks.json"])] == ["https://example.org/mine"]
    assert [(one["competition"], one["left_at"]) for one in json.loads(found["teams.json"])] == [("cup", None)]
    assert json.loads(found["notices.json"]) == []
    assert {name.split("/")[1] for name in found if "/" in name} == set(ids)
    for number, submission in enumerate(ids):
        assert found[f"submissions/{submission}/entry.py"] == numbered(number)
        shown = json.loads(found[f"submissions/{submission}/submission.json"])
        assert shown == ada.get(f"/api/submissions/{submission}").json() | {"place": None}
    whole = b"".join(found.values())
    assert b"rival" not in whole and b"argon2" not in whole and b"digest" not in whole


def test_a_long_export_comes_in_portions(api: Api, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.own.exporting.PORTION", 2)
    for number in range(5):
        assert ada.post(SUBMIT, content=MODULE + b"#" * number, params={"filename": "a.py"}).status_code == 201
    found = unzipped(ada.get("/api/me/export"))
    assert sum(name.endswith("/a.py") for name in found) == 5


def test_an_export_keeps_back_what_a_sealed_final_hides(api: Api, phase: Phase, organiser: Caller) -> None:
    contest = Contest(api, organiser, api.caller("ada"))
    contest.end()
    found = unzipped(contest.ada.get("/api/me/export"))
    assert {name.split("/")[1] for name in found if "/" in name} == {str(contest.uploads[0])}
    assert b"0.777" not in b"".join(found.values())

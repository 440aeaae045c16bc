"""What people choose to be told of, by kind and by way; and the link in a mail that stops such mail."""

import pytest
from sqlalchemy import select, update

from services.api.notices import heralding
from services.api.notices.choices import USUAL
from services.core.models import Account, EventKind, HappeningKind, Phase
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller, numbered
from tests.api.mailed import api, certificate, deliver, server, settings
from tests.api.smtp import MailServer
from tests.api.test_notices import announce, happen, tell, told

__all__ = ["api", "certificate", "server", "settings"]


@pytest.fixture(autouse=True)
def _phases_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told of the phase that the tests open."""
    monkeypatch.setattr(heralding, "LOOK_FOR_PHASES_EVERY_S", 1e9)
    monkeypatch.setattr(heralding.Herald, "step", heralding.Herald._tell)


@pytest.fixture
def entry(api: Api, phase: Phase, participant: Caller) -> str:
    """A submission of somebody with a verified address."""
    with api.database.write() as session:
        session.execute(update(Account).values(email="ada@example.org", email_verified_at=utc_now()))
        session.execute(update(Account).where(Account.username != "ada").values(mail_wanted=False))
    made = participant.submit(numbered(1))
    assert made.status_code == 201
    tell(api)
    return str(made.json()["id"])


def choose(caller: Caller, **kinds: list[str]) -> dict[str, list[str]]:
    answer = caller.request("PATCH", "/api/me", json=kinds)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[str]] = answer.json()["preferences"]
    return found


def subjects(server: MailServer) -> list[str]:
    return [str(mail["Subject"]) for mail in server.mails]


def test_who_chooses_nothing_is_told_of_all_that_one_does_not_cause(api: Api, participant: Caller) -> None:
    shown = participant.get("/api/me").json()["preferences"]
    assert set(shown["notice_kinds"]) == set(shown["mail_kinds"]) == USUAL
    assert not USUAL & {HappeningKind.ACCEPTED, HappeningKind.RUNNING, HappeningKind.CANCELLED}


def test_each_way_has_its_own_kinds(api: Api, server: MailServer, entry: str, participant: Caller) -> None:
    chosen = choose(participant, notice_kinds=["submission.running"], mail_kinds=["submission.failed"])
    assert (chosen["notice_kinds"], chosen["mail_kinds"]) == (["submission.running"], ["submission.failed"])
    for kind in (EventKind.RUNNING, EventKind.FAILED, EventKind.SCORED):
        happen(api, entry, kind)

    tell(api)
    deliver(api)

    assert told(participant) == ["Your submission “entry” runs."]
    assert subjects(server) == ["Lethe: Your submission “entry” failed. Its page says why."]
    choose(participant, notice_kinds=[], mail_kinds=[])
    happen(api, entry, EventKind.FAILED)
    tell(api)
    deliver(api)
    assert (len(told(participant)), len(server.mails)) == (1, 1)


def test_a_mail_stops_mail_of_its_kind(
    api: Api, server: MailServer, entry: str, participant: Caller, organiser: Caller
) -> None:
    announce(organiser)
    tell(api)
    deliver(api)
    (mail,) = server.mails
    assert (mail["Subject"], mail["List-Unsubscribe-Post"]) == (
        "Lethe: Cup announces: Hot news",
        "List-Unsubscribe=One-Click",
    )
    stop = str(mail["List-Unsubscribe"]).strip("<>").removeprefix("https://lethe.example.org")
    assert f"/stop-mail#{stop.rpartition('/')[2]}" in mail.get_content()

    # as a mail program does: a form, no login, and no page of ours that it came from
    for _ in range(2):
        assert api.client.post(stop, data={"List-Unsubscribe": "One-Click"}).status_code == 204
    kinds = participant.get("/api/me").json()["preferences"]["mail_kinds"]
    assert set(kinds) == USUAL - {HappeningKind.ANNOUNCED}
    announce(organiser, "again")
    happen(api, entry, EventKind.FAILED)
    tell(api)
    deliver(api)
    assert subjects(server)[1:] == ["Lethe: Your submission “entry” failed. Its page says why."]
    assert "Cup announces: again" in told(participant)

    assert api.anonymous.post(f"{stop}?everything=true").status_code == 204
    assert participant.get("/api/me").json()["preferences"]["mail_wanted"] is False


def test_only_a_link_of_ours_stops_anything(
    api: Api, server: MailServer, entry: str, participant: Caller, organiser: Caller
) -> None:
    announce(organiser)
    tell(api)
    deliver(api)
    link = str(server.mails[0]["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    account, kind, proof = link.split("_")
    others = (
        *("x", "", "__", f"{account}_{kind}_", f"{account}_{kind}_{'0' * 32}", f"{account}_submission.failed_{proof}"),
        *(f"{'0' * 32}_{kind}_{proof}", f"{account}_none_{proof}", f"{link}é"),
    )
    for other in others:
        answer = api.anonymous.post(f"/api/mail-stops/{other}?everything=true")
        assert answer.status_code in (404, 422), other
        assert answer.json()["code"] in ("bad_link", "not_found"), other
    assert participant.get("/api/me").json()["preferences"]["mail_wanted"] is True


def test_a_mail_that_waits_is_not_sent_after_it_was_stopped(
    api: Api, server: MailServer, entry: str, participant: Caller, organiser: Caller
) -> None:
    announce(organiser)
    tell(api)
    choose(participant, mail_kinds=["submission.scored"])
    deliver(api)
    assert server.mails == []


def test_an_unknown_kind_is_refused(api: Api, participant: Caller) -> None:
    answer = participant.request("PATCH", "/api/me", json={"mail_kinds": ["submission.eaten"]})
    assert answer.status_code == 422
    with api.database.read() as session:
        assert session.scalars(select(Account.mail_kinds).where(Account.username == "ada")).one() is None

"""Mail by a real server: links that reset and verify, alerts, and an outbox that loses nothing."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.api.accounts.passwords import hash_password
from services.api.mail.smtp import Mail, send
from services.core.models import Account, AccountLink, Outgoing
from services.core.outbox import delay_after
from services.core.settings import MailSecurity, Settings
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller, running
from tests.api.mailed import api, certificate, deliver, server, settings
from tests.api.smtp import MailServer, secret_in

__all__ = ["api", "certificate", "server", "settings"]

OLD, NEW = "correct horse battery", "another horse entirely"
ADDRESS = "ada@example.org"


@pytest.fixture
def ada(api: Api) -> Caller:
    """Somebody with a verified address."""
    caller = api.caller("ada")
    with api.database.write() as session:
        known = {"password_hash": hash_password(OLD), "email": ADDRESS, "email_verified_at": utc_now()}
        session.execute(update(Account).values(known))
    return caller


def ask(api: Api, name: str) -> tuple[int, str]:
    answer = api.anonymous.post("/api/password-resets", json={"name": name})
    return answer.status_code, answer.text


def reset(api: Api, secret: str, new: str = NEW) -> int:
    answer = api.anonymous.post("/api/password-resets/use", json={"token": secret, "new_password": new})
    return int(answer.status_code)


def logs_in(api: Api, password: str) -> bool:
    answer = api.anonymous.post("/api/sessions", json={"username": "ada", "password": password})
    api.client.cookies.clear()
    return bool(answer.status_code == 201)


@pytest.mark.parametrize("name", ["ada", "Ada@Example.org "])
def test_a_link_by_mail_sets_a_new_password_once(api: Api, server: MailServer, ada: Caller, name: str) -> None:
    assert ask(api, name) == (202, "null")
    deliver(api)
    [mail] = server.mails
    assert (mail["To"], mail["From"]) == (ADDRESS, "Lethe <lethe@example.org>")
    assert server.logins == 1
    secret = secret_in(mail)

    assert reset(api, secret) == 204
    assert ada.get("/api/me").status_code == 401
    assert logs_in(api, NEW)
    assert reset(api, secret, OLD) == 422
    assert not logs_in(api, OLD)
    deliver(api)
    assert "set anew by a link" in server.mails[1].get_content()
    with api.database.read() as session:
        assert session.scalars(select(Outgoing)).all() == []


def test_unknown_names_get_the_same_answer_and_no_mail(api: Api, server: MailServer, ada: Caller) -> None:
    """The request writes one row whether or not there is somebody, and looks nobody up."""
    eve = api.caller("eve")
    eve.post("/api/me/email", json={"email": "eve@example.org"})  # which is not verified
    deliver(api)
    server.mails.clear()
    for name in ("nobody", "nobody@example.org", "eve", "eve@example.org"):
        assert ask(api, name) == ask(api, "ada") == (202, "null")
    with api.database.read() as session:
        assert len(session.scalars(select(Outgoing)).all()) == 8
        assert session.scalars(select(AccountLink).where(AccountLink.kind == "reset")).all() == []
    deliver(api)
    assert {mail["To"] for mail in server.mails} == {ADDRESS}
    assert len(server.mails) == 3  # of one account in an hour, so that nobody can flood it


def test_a_dead_mail_server_loses_nothing(api: Api, server: MailServer, ada: Caller) -> None:
    server.broken = True
    ask(api, "ada")
    for attempt in range(1, 6):
        deliver(api)
        with api.database.write() as session:
            row = session.scalars(select(Outgoing)).one()
            assert row.attempts == attempt
            assert row.due_at > utc_now() + delay_after(attempt - 1) - timedelta(seconds=20)
            row.due_at = utc_now()
            session.execute(update(AccountLink).values(expires_at=utc_now()))
    server.broken = False
    deliver(api)
    [mail] = server.mails
    assert reset(api, secret_in(mail)) == 204  # its hour begins when it is sent
    assert [delay_after(attempts).total_seconds() for attempts in (0, 1, 2, 9, 99)] == [30, 60, 120, 3600, 3600]


def test_an_address_that_the_server_does_not_know_is_given_up(api: Api, server: MailServer, ada: Caller) -> None:
    server.unknown.add(ADDRESS)
    ask(api, "ada")
    deliver(api)
    with api.database.read() as session:
        assert session.scalars(select(Outgoing)).all() == []


def test_nothing_is_sent_for_what_is_rolled_back_and_no_secret_is_stored(api: Api, ada: Caller) -> None:
    """Whoever reads the database cannot set a password by what waits there."""
    ask(api, "ada")
    with api.database.read() as session:
        assert session.scalars(select(Outgoing)).one().payload == {"name": "ada"}
    assert ada.post("/api/me/email", json={"password": "wrong", "email": "x@example.org"}).status_code == 403
    with api.database.read() as session:
        assert len(session.scalars(select(Outgoing)).all()) == 1


def test_an_address_is_verified_by_its_own_link_only(api: Api, server: MailServer, ada: Caller) -> None:
    for email in ("first@example.org", "second@example.org"):
        ada.post("/api/me/email", json={"password": OLD, "email": email})
        deliver(api)
    alert, first, second = server.mails
    assert (alert["To"], first["To"], second["To"]) == (ADDRESS, "first@example.org", "second@example.org")

    def verify(mail_number: int) -> int:
        secret = secret_in(server.mails[mail_number], "verify-email")
        assert reset(api, secret) == 422  # a link of another kind
        return int(api.anonymous.post("/api/email-verifications", json={"token": secret}).status_code)

    assert verify(1) == 422
    assert ada.get("/api/me").json()["email"] == {"address": "second@example.org", "verified": False}
    assert [verify(2), verify(2)] == [204, 422]
    assert ada.get("/api/me").json()["email"] == {"address": "second@example.org", "verified": True}
    assert ask(api, ADDRESS) == (202, "null")
    deliver(api)
    assert len(server.mails) == 3  # the address before belongs to nobody now


def test_one_mail_has_a_link_for_each_account_of_its_address(api: Api, server: MailServer, ada: Caller) -> None:
    api.caller("zoe")
    with api.database.write() as session:
        session.execute(update(Account).values(email=ADDRESS, email_verified_at=utc_now()))
    ask(api, ADDRESS)
    deliver(api)
    [mail] = server.mails
    links = [line.split("#")[0] for line in mail.get_content().splitlines() if "#" in line]
    assert links == [f"{name}: https://lethe.example.org/reset-password" for name in ("ada", "zoe")]


def test_a_header_cannot_be_injected_even_past_the_edge(settings: Settings) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        send(settings, Mail("ada@example.org\r\nBcc: eve@example.org", "x", "y"))
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        send(settings, Mail("ada@example.org", "x\r\nBcc: eve@example.org", "y"))


def test_mail_goes_to_no_server_with_a_certificate_of_somebody_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, server: MailServer
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for security in (MailSecurity.STARTTLS, MailSecurity.TLS):
        with pytest.raises(OSError, match=r"."):
            send(settings.model_copy(update={"smtp_security": security}), Mail("ada@example.org", "x", "y"))
    assert (server.mails, server.logins) == ([], 0)


def test_the_api_empties_the_outbox_by_itself(settings: Settings, server: MailServer) -> None:
    with running(settings, look_every_s=0.05) as api:
        api.caller("ada")
        with api.database.write() as session:
            session.execute(update(Account).values(email=ADDRESS, email_verified_at=utc_now()))
        ask(api, "ada")
        until = time.monotonic() + 30
        while not server.mails and time.monotonic() < until:
            time.sleep(0.05)
    assert len(server.mails) == 1

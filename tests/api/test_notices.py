"""Who is told what: teams of their submissions, everybody of what concerns a competition, nobody of what is hidden."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from services.api.notices import heralding
from services.api.notices.subjects import Subject
from services.core import happenings
from services.core.models import (
    Account,
    Competition,
    EventKind,
    Happening,
    HappeningKind,
    Notice,
    OutgoingKind,
    Phase,
    Submission,
    Visibility,
)
from services.core.outbox import is_due
from services.core.store.database import clock, utc_now
from tests.api.finals import end_runs, entries_of, make_final, start
from tests.api.harness import Api, Caller, numbered
from tests.api.people import CUP
from tests.api.rescoring import submit_scored
from tests.api.teams import create, join, link


@pytest.fixture(autouse=True)
def _phases_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phases are looked for when a test says so."""
    monkeypatch.setattr(heralding, "LOOK_FOR_PHASES_EVERY_S", 1e9)
    monkeypatch.setattr(heralding.Herald, "step", heralding.Herald._tell)


def tell(api: Api) -> int:
    """Tell everybody of all that happened; return the number of transactions."""
    return sum(1 for _ in iter(api.state.herald.step, False))


def told(caller: Caller) -> list[str]:
    return [one["text"] for one in caller.get("/api/me/notices").json()["items"]]


def happen(api: Api, submission: UUID | str, kind: EventKind) -> None:
    with api.database.write() as session:
        evaluation = session.get_one(Submission, UUID(str(submission))).evaluation
        happenings.evaluation_moved(session, evaluation, kind)


def announce(organiser: Caller, title: str = "Hot news") -> Any:
    return organiser.post(f"{CUP}/announcements", json={"title": title, "body": "Read this."})


def test_a_team_is_told_of_its_score_and_nobody_else(api: Api, phase: Phase, participant: Caller) -> None:
    create(participant, "gulls")
    mate, stranger = api.caller("mate"), api.caller("zoe")
    assert join(mate, link(participant, "gulls")) == 200
    submission = submit_scored(api, participant, numbered(1), 0.0123)

    tell(api)

    for member in (participant, mate):
        (notice,) = member.get("/api/me/notices").json()["items"]
        assert notice["text"] == "Your submission “entry” is scored: 0.0123."
        assert (notice["path"], notice["read"]) == (f"/submissions/{submission}", False)
    assert told(stranger) == []
    assert mate.get("/api/me/notices/unread").json() == {"unread": 1}
    assert mate.post("/api/me/notices/read").status_code == 204
    assert mate.get("/api/me/notices/unread").json() == {"unread": 0}
    assert participant.get("/api/me/notices/unread").json() == {"unread": 1}


def test_everybody_who_takes_part_is_told_once_in_portions(
    api: Api, phase: Phase, organiser: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heralding, "PORTION", 2)
    people = [api.caller(f"u{number}") for number in range(5)]
    for number, caller in enumerate(people):
        assert caller.submit(numbered(number)).status_code == 201
    tell(api)
    assert announce(organiser).status_code == 201

    assert tell(api) == 3

    assert [told(caller) for caller in people] == [["Cup announces: Hot news"]] * 5
    assert told(organiser) == []
    with api.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Notice)).one() == 5


def test_what_cannot_be_told_holds_up_nothing_else(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert participant.submit().status_code == 201
    tell(api)
    words = vars(Subject)["text"].fget
    told_of: list[Subject] = []

    def broken_once(subject: Subject) -> str:
        told_of.append(subject)
        if len(told_of) == 1:
            raise KeyError("no words")
        return str(words(subject))

    monkeypatch.setattr(Subject, "text", property(broken_once))
    announce(organiser, "one")
    announce(organiser, "two")

    tell(api)

    assert told(participant) == ["Cup announces: two"]


def test_what_was_retracted_or_is_no_longer_shown_is_not_told(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    assert participant.submit().status_code == 201
    post = announce(organiser).json()["id"]
    assert organiser.post(f"{CUP}/announcements/{post}/retract").status_code == 200
    tell(api)
    announce(organiser)
    with api.database.write() as session:
        session.execute(update(Competition).values(visibility=Visibility.DRAFT))
    tell(api)
    assert told(participant) == []


def test_a_sealed_final_tells_nobody_how_its_entries_do(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    submit_scored(api, participant, numbered(1), 0.1)
    make_final(organiser)
    start(api, organiser)
    entry = entries_of(api)["ada/entry"].id
    end_runs(api, {"ada": 0.777123})
    happen(api, entry, EventKind.SCORED)

    tell(api)

    assert not any("0.777" in text for text in told(participant))
    with api.database.read() as session:
        assert session.scalars(select(Happening.id).where(Happening.told_at.is_(None))).all() == []


def test_a_phase_opens_and_closes_once_for_everybody(api: Api, phase: Phase, participant: Caller) -> None:
    assert participant.submit().status_code == 201
    with api.database.write() as session:
        opened = utc_now() - timedelta(hours=1)
        session.execute(update(Phase).values(opens_at=opened, closes_at=opened + timedelta(days=9)))
    for _ in range(2):
        api.state.herald.look_for_phases()
    with api.database.write() as session:
        session.execute(
            update(Phase).values(opens_at=utc_now() - timedelta(days=9), closes_at=utc_now() + timedelta(hours=5))
        )
    for _ in range(2):
        api.state.herald.look_for_phases()

    tell(api)

    assert told(participant) == ["Cup: phase feedback closes within a day.", "Cup: phase feedback is open."]
    with api.database.read() as session:
        kinds = session.scalars(select(Happening.kind).where(Happening.evaluation_id.is_(None))).all()
    assert sorted(kinds) == [HappeningKind.CLOSING, HappeningKind.OPENED]


def test_mail_goes_to_those_who_want_it_and_have_an_address(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.state.herald, "_mails", True)
    silent = api.caller("silent")
    for number, caller in enumerate((participant, silent)):
        assert caller.submit(numbered(number)).status_code == 201
    with api.database.write() as session:
        has_address = {"email": "x@example.org", "email_verified_at": utc_now()}
        session.execute(update(Account).values(mail_wanted=True, **has_address))
        session.execute(update(Account).where(Account.username == "silent").values(mail_wanted=False))
    announce(organiser)

    tell(api)

    assert (len(told(participant)), len(told(silent))) == (1, 1)
    with api.database.read() as session:
        assert is_due(session, {OutgoingKind.NOTICE_MAIL}, clock(session))
        heard = session.scalars(select(Notice.account_id)).all()
    assert len(heard) == 2

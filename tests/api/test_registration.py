"""Registering: open to all, by approval, by invitation; with rules that are accepted once per version."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from services.api.kit import rates
from services.core.models import Account, AuditEvent, Invitation, Phase, Registration, RegistrationState, Role
from services.core.store.database import utc_now
from tests.api.harness import SUBMIT, Api, Caller, add_account, numbered
from tests.api.people import CUP, REGISTRATION, add_member, invite, set_mode, set_rules, version
from tests.api.test_judging import acts

LIST = f"{CUP}/registrations"


def register(caller: Caller, **body: str) -> tuple[int, str]:
    """Register; return the status and the problem's code or the state."""
    answer = caller.post(REGISTRATION, json=body)
    return answer.status_code, answer.json().get("code") or answer.json()["state"]


def submit(caller: Caller, number: int = 0) -> tuple[int, str]:
    answer = caller.submit(numbered(number))
    return answer.status_code, answer.json().get("code", "")


def decide(organiser: Caller, act: str, *names: str, **body: str) -> int:
    return organiser.post(f"{LIST}/{act}", json={"usernames": list(names), **body}).status_code


def listed(caller: Caller, **query: str) -> list[tuple[str, str]]:
    return [(one["username"], one["state"]) for one in caller.get(LIST, params=query).json()["items"]]


def test_in_an_open_competition_whoever_submits_is_registered(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    before = participant.get(REGISTRATION).json()
    assert (before["role"], before["state"], before["admitted"]) == (None, None, True)
    assert not api.anonymous.get(REGISTRATION).json()["admitted"]

    assert submit(participant) == (201, "")

    after = participant.get(REGISTRATION).json()
    assert (after["role"], after["state"], after["admitted"]) == ("participant", "accepted", True)
    assert listed(organiser) == [("ada", "accepted")]
    assert acts(api) == []


def test_an_organiser_approves_or_refuses_with_a_reason(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    eve = api.caller("eve")
    set_mode(organiser, "approval")
    assert submit(participant) == (403, "not_registered")
    assert "lethe register cup" in participant.submit().json()["detail"]
    assert register(participant) == register(eve) == (200, "waiting")
    assert submit(participant) == (403, "registration_waiting")
    assert listed(organiser, state="waiting") == [("ada", "waiting"), ("eve", "waiting")]

    assert decide(organiser, "approve", "ada") == 200
    assert decide(organiser, "refuse", "eve", reason="Not in this class.") == 200

    assert submit(participant) == (201, "")
    assert submit(eve) == (403, "registration_refused")
    own = eve.get(REGISTRATION).json()
    assert (own["state"], own["reason"], own["admitted"]) == ("refused", "Not in this class.", False)
    assert "Not in this class." in eve.submit().json()["detail"]
    assert register(eve) == (403, "registration_refused")
    assert acts(api) == ["registration_changed", "registration_accepted", "registration_refused"]

    assert decide(organiser, "approve", "eve") == 200
    assert submit(eve) == (201, "")
    assert decide(organiser, "refuse", "ada", reason="Twice here.") == 200
    assert submit(participant, 1) == (403, "registration_refused")


def test_several_are_decided_at_once_or_none(api: Api, phase: Phase, organiser: Caller) -> None:
    set_mode(organiser, "approval")
    for name in ("ann", "bea", "cis"):
        register(api.caller(name))
    wrong = organiser.post(f"{LIST}/approve", json={"usernames": ["ann", "nobody"]})
    assert (wrong.status_code, "nobody" in wrong.json()["detail"]) == (404, True)
    assert {state for _, state in listed(organiser)} == {"waiting"}

    assert decide(organiser, "approve", "ann", "bea", "cis") == 200

    assert {state for _, state in listed(organiser)} == {"accepted"}
    for many in ([], ["ann"] * 201):
        assert organiser.post(f"{LIST}/approve", json={"usernames": many}).status_code == 422
    assert decide(organiser, "refuse", "ann") == 422
    assert decide(organiser, "refuse", "ann", reason="\u202e") == 422


def test_a_refused_person_stays_refused_however_people_register(api: Api, phase: Phase, organiser: Caller) -> None:
    eve = api.caller("eve")
    set_mode(organiser, "approval")
    register(eve)
    decide(organiser, "refuse", "eve", reason="No.")
    set_mode(organiser, "open")
    assert submit(eve) == (403, "registration_refused")
    set_mode(organiser, "invitation")
    code, _ = invite(organiser)
    assert register(eve, code=code) == (403, "registration_refused")


def test_whoever_is_registered_stays_so_when_the_mode_changes(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    submit(participant)
    set_mode(organiser, "approval")
    assert submit(participant, 1) == (201, "")
    eve = api.caller("eve")
    assert register(eve) == (200, "waiting")
    set_mode(organiser, "open")
    assert submit(eve) == (201, "")
    assert listed(organiser) == [("ada", "accepted"), ("eve", "accepted")]


def test_rules_are_accepted_once_per_version_on_record(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(participant)
    first = set_rules(monkeypatch, "Be fair.")
    assert submit(participant, 1) == (403, "rules_not_accepted")
    shown = participant.get(REGISTRATION).json()
    assert (shown["rules"], shown["rules_version"], shown["accepted_version"]) == ("Be fair.", first, None)
    assert register(participant) == (403, "rules_not_accepted")
    assert register(participant, rules_version=version("Be unfair.")) == (409, "rules_changed")
    assert register(participant, rules_version=first) == register(participant, rules_version=first) == (200, "accepted")
    assert submit(participant, 1) == (201, "")

    second = set_rules(monkeypatch, "Be very fair.")
    assert submit(participant, 2) == (403, "rules_not_accepted")
    assert register(participant, rules_version=second) == (200, "accepted")
    assert submit(participant, 2) == (201, "")

    with api.database.read() as session:
        found = session.scalars(select(AuditEvent).order_by(AuditEvent.created_at)).all()
        who = session.scalars(select(Account.id).where(Account.username == "ada")).one()
    assert [(one.act, one.account_id, one.details) for one in found] == [
        ("rules_accepted", who, {"rules": first}),
        ("rules_accepted", who, {"rules": second}),
    ]


def test_rules_come_before_a_first_submission(
    api: Api, phase: Phase, participant: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = set_rules(monkeypatch, "Be fair.")
    refused = participant.submit()
    assert (refused.status_code, refused.json()["code"]) == (403, "not_registered")
    assert "lethe register cup --accept-rules" in refused.json()["detail"]
    assert register(participant, rules_version=first) == (200, "accepted")
    assert submit(participant) == (201, "")


def test_a_refusal_comes_before_the_body_is_read(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    set_mode(organiser, "invitation")
    answer = participant.post(SUBMIT, content=b"not Python", params={"filename": "entry.py"})
    assert answer.json()["code"] == "not_registered"
    assert "lethe register cup --code CODE" in answer.json()["detail"]


def test_registration_is_asked_again_when_the_upload_has_arrived(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is refused while their upload is on its way."""
    from services.api.submissions import uploads

    submit(participant)
    read = uploads.read

    async def read_slowly(*arguments: object) -> object:
        with api.database.write() as session:
            session.scalars(select(Registration)).one().state = RegistrationState.REFUSED
        return await read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads, "read", read_slowly)
    assert submit(participant, 1) == (403, "registration_refused")


def test_reference_rows_need_no_registration(api: Api, phase: Phase, organiser: Caller) -> None:
    set_mode(organiser, "invitation")
    assert organiser.submit(reference="identity").status_code == 201
    assert submit(organiser, 1) == (403, "not_registered")
    assert listed(organiser) == []


def test_two_requests_of_one_account_make_one_registration(api: Api, phase: Phase, participant: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda number: submit(participant, number) if number % 2 else register(participant), range(8))
        )
    assert {answer[0] for answer in answers} <= {200, 201}
    with api.database.read() as session:
        assert session.scalars(select(Registration.username)).all() == ["ada"]


def test_an_invitation_admits_as_many_as_it_says(api: Api, phase: Phase, organiser: Caller) -> None:
    set_mode(organiser, "invitation")
    code, _ = invite(organiser, uses=2)
    ann, bea, cis = (api.caller(name) for name in ("ann", "bea", "cis"))
    assert register(ann) == (422, "code_needed")
    assert register(ann, code=f" {code.upper()} ") == (200, "accepted")
    assert register(ann, code=code) == (200, "accepted")  # which uses it no second time
    assert register(bea, code=code) == (200, "accepted")
    assert register(cis, code=code) == (403, "bad_code")
    assert submit(bea) == (201, "")
    assert [(one["uses"], one["used"]) for one in organiser.get(f"{CUP}/invitations").json()["items"]] == [(2, 2)]
    assert acts(api) == ["registration_changed", "invitation_made", "invitation_used", "invitation_used"]


def test_of_many_who_come_for_the_last_use_one_is_admitted(api: Api, phase: Phase, organiser: Caller) -> None:
    set_mode(organiser, "invitation")
    code, _ = invite(organiser)
    callers = [api.caller(f"u{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(lambda caller: register(caller, code=code), callers))
    assert answers == [(200, "accepted")] + [(403, "bad_code")] * 7
    assert len(listed(organiser)) == 1


def test_codes_that_do_not_admit_are_all_answered_alike(api: Api, phase: Phase, organiser: Caller) -> None:
    """Wrong, expired, revoked, used up, of another competition, malformed: a guesser learns nothing from it."""
    set_mode(organiser, "invitation")
    expired, expired_id = invite(organiser)
    revoked, revoked_id = invite(organiser)
    used, _ = invite(organiser)
    register(api.caller("ann"), code=used)
    assert organiser.post("/api/competitions", json={"slug": "other", "title": "Other"}).status_code == 201
    other = organiser.post("/api/competitions/other/invitations", json={"name": "x"}).json()["code"]
    with api.database.write() as session:
        session.get_one(Invitation, UUID(expired_id)).expires_at = utc_now() - timedelta(seconds=1)
    assert organiser.post(f"{CUP}/invitations/{revoked_id}/revoke").status_code == 200
    assert organiser.post(f"{CUP}/invitations/{revoked_id}/revoke").status_code == 404
    assert organiser.post(f"/api/competitions/other/invitations/{expired_id}/revoke").status_code == 404

    details = set()
    for number, code in enumerate((expired, revoked, used, other, "0" * 32, "x", "%", "\u00e9" * 32)):
        answer = api.caller(f"u{number}").post(REGISTRATION, json={"code": code})
        assert (answer.status_code, answer.json()["code"]) == (403, "bad_code"), code
        details.add(answer.json()["detail"])
    assert len(details) == 1


def test_guesses_are_limited_as_logins_are(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    set_mode(organiser, "invitation")
    code, _ = invite(organiser)
    most = rates.CODE_PER_ACCOUNT.amount
    for number in range(most):
        assert register(participant, code=f"{number:032x}") == (403, "bad_code")
    refused = participant.post(REGISTRATION, json={"code": code})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    for number in range(rates.CODE_PER_ADDRESS.amount // most):
        guesser = api.caller(f"u{number}")
        for _ in range(most):
            last = register(guesser, code="0" * 32)
    assert last == (429, "rate_limited")
    assert register(api.caller("bob"), code=code) == (429, "rate_limited")


def test_a_code_is_shown_once_and_not_stored(api: Api, phase: Phase, organiser: Caller) -> None:
    code, _ = invite(organiser)
    assert len(bytes.fromhex(code)) == 16
    with api.database.read() as session:
        row = session.scalars(select(Invitation)).one()
        stored = [str(getattr(row, column.key)) for column in Invitation.__table__.columns]
        recorded = [str(one.details) for one in session.scalars(select(AuditEvent))]
    assert all(code not in text for text in [*stored, *recorded, organiser.get(f"{CUP}/invitations").text])
    assert "digest" not in organiser.get(f"{CUP}/invitations").json()["items"][0]


def test_a_reviewer_reads_registrations_and_decides_none(api: Api, phase: Phase, organiser: Caller) -> None:
    reviewer = api.caller("eve")
    add_member(organiser, "eve", "reviewer")
    set_mode(organiser, "approval")
    register(api.caller("ann"))
    assert listed(reviewer) == [("ann", "waiting")]
    assert decide(reviewer, "approve", "ann") == 403
    assert decide(reviewer, "refuse", "ann", reason="No.") == 403
    assert reviewer.request("PATCH", REGISTRATION, json={"registration": "open"}).status_code == 403
    assert reviewer.post(f"{CUP}/invitations", json={"name": "x"}).status_code == 403
    assert listed(organiser) == [("ann", "waiting")]


def test_an_organiser_of_another_competition_decides_nothing_here(api: Api, phase: Phase, organiser: Caller) -> None:
    rival = api.caller("rival", Role.ORGANISER)
    rival.post("/api/competitions", json={"slug": "other", "title": "Other"})
    set_mode(organiser, "approval")
    register(rival)
    assert decide(rival, "approve", "rival") == 403
    through = rival.post("/api/competitions/other/registrations/approve", json={"usernames": ["rival"]})
    assert through.status_code == 404
    assert submit(rival) == (403, "registration_waiting")


def fill(api: Api, phase: Phase, names: list[str]) -> None:
    with api.database.write() as session:
        for name in names:
            account = add_account(session, name)
            session.add(
                Registration(
                    competition_id=phase.competition_id,
                    account_id=account.id,
                    username=name,
                    state=RegistrationState.WAITING if len(name) % 2 else RegistrationState.ACCEPTED,
                )
            )


def test_registrations_come_page_by_page_in_the_order_of_names(api: Api, phase: Phase, organiser: Caller) -> None:
    names = ["a", "a-b", "a-c", "ab", "ab-1", "b", "ba", "z9", "zz"]
    fill(api, phase, names)
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = organiser.get(LIST, params={"limit": "2", **after}).json()
        found += [one["username"] for one in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == sorted(names)
    assert [name for name, _ in listed(organiser, search="a-")] == ["a-b", "a-c"]
    assert [name for name, _ in listed(organiser, search="z")] == ["z9", "zz"]
    assert [name for name, _ in listed(organiser, search="a", state="accepted")] == ["ab", "ab-1"]
    assert listed(organiser, search="%") == listed(organiser, search="_") == []


MODES = st.sampled_from(["open", "approval", "invitation"])
CHANGE = st.one_of(
    st.tuples(st.just("mode"), MODES),
    st.tuples(st.just("register"), st.sampled_from(["", "code", "rules", "code rules"])),
    st.tuples(st.sampled_from(["approve", "refuse"]), st.just("")),
    st.tuples(st.just("rules"), st.sampled_from(["", "Be fair.", "Be kind."])),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGE, max_size=12))
def test_just_who_is_registered_and_knows_the_rules_is_admitted(
    api: Api, phase: Phase, organiser: Caller, monkeypatch: pytest.MonkeyPatch, changes: list[tuple[str, str]]
) -> None:
    """Any sequence of acts of one person and an organiser; a model says whether the person may submit after each."""
    name = f"p{uuid4().hex[:8]}"
    person, code = api.caller(name), invite(organiser)[0]
    mode, text, state, known = "open", "", "", ""
    set_mode(organiser, mode)
    set_rules(monkeypatch, text)
    monkeypatch.setattr(api.state.rates, "code", lambda *_: None)
    for act, how in changes:
        match act:
            case "mode":
                mode = how
                set_mode(organiser, mode)
            case "rules":
                text = how
                set_rules(monkeypatch, text)
            case "register":
                body = {"code": code} if "code" in how else {}
                register(person, **body, **({"rules_version": version(text)} if text and "rules" in how else {}))
                agrees = not text or known == text or "rules" in how
                enters = mode == "open" or (mode == "invitation" and "code" in how)
                if state != "refused" and agrees and (state == "accepted" or enters or mode == "approval"):
                    known = text or known
                    state = "accepted" if state == "accepted" or enters else "waiting"
            case _:
                done = decide(organiser, act, name, **({"reason": "No."} if act == "refuse" else {}))
                assert (done == 200) is (state != "")
                if state:
                    state = "accepted" if act == "approve" else "refused"
        shown = person.get(REGISTRATION).json()
        assert (shown["state"] or "") == state
        silent = mode == "open" and not text and state != "refused"
        assert shown["admitted"] is (silent or (state == "accepted" and text in ("", known)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(search=st.text(alphabet="ab01-~%z", max_size=3))
def test_a_search_finds_just_the_names_that_begin_so(api: Api, phase: Phase, organiser: Caller, search: str) -> None:
    names = ["a", "a-b", "a0", "ab", "ab-1", "b", "b--0", "z", "z1"]
    if not listed(organiser):
        fill(api, phase, names)
    assert [name for name, _ in listed(organiser, search=search)] == [one for one in names if one.startswith(search)]


def test_a_submission_asks_for_one_registration_only(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    submit(participant)
    statements: list[str] = []

    @event.listens_for(api.state.database.engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "registrations" in statement:
            statements.append(statement)

    assert submit(participant, 1) == (201, "")
    assert 2 <= len(statements) <= 3  # before the body is read, and again in the transaction

"""Roles by competition: one owner, organisers, reviewers; and roles on the platform."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.api.people.members import MOST
from services.core.models import Account, AuditEvent, Competition, CompetitionRole, Member, Phase, Role
from services.core.record.chain import link
from services.core.record.verifying import verify_database
from tests.api.harness import Api, Caller, add_account
from tests.api.people import CUP, PEOPLE, add_member

ACCOUNTS = "/api/admin/accounts"


def members(caller: Caller) -> list[tuple[str, str]]:
    return [(one["username"], one["role"]) for one in caller.get(PEOPLE).json()["items"]]


def test_an_owner_adds_changes_and_removes_members(api: Api, phase: Phase, organiser: Caller) -> None:
    eve, bob = api.caller("eve"), api.caller("bob")
    assert members(organiser) == [("organiser", "owner")]
    add_member(organiser, "eve")
    add_member(organiser, "bob", "reviewer")
    assert members(bob) == [("organiser", "owner"), ("eve", "organiser"), ("bob", "reviewer")]

    announced = {"title": "Hello", "body": "All."}
    assert eve.post(f"{CUP}/announcements", json=announced).status_code == 201
    assert bob.post(f"{CUP}/announcements", json=announced).json()["code"] == "not_organiser"
    for caller in (eve, bob):
        assert caller.get(f"{CUP}/submissions").status_code == 200
        assert caller.post(PEOPLE, json={"username": "bob", "role": "organiser"}).json()["code"] == "not_organiser"

    add_member(organiser, "eve", "reviewer")
    assert eve.post(f"{CUP}/announcements", json=announced).status_code == 403
    assert organiser.request("DELETE", f"{PEOPLE}/bob").status_code == 204
    assert bob.get(f"{CUP}/submissions").status_code == 403
    assert eve.post(f"{CUP}/leave").status_code == 204
    assert members(organiser) == [("organiser", "owner")]


def test_ownership_is_handed_over_and_never_left(api: Api, phase: Phase, organiser: Caller) -> None:
    eve = api.caller("eve")
    for answer in (
        organiser.post(f"{CUP}/leave"),
        organiser.request("DELETE", f"{PEOPLE}/organiser"),
        organiser.post(PEOPLE, json={"username": "organiser", "role": "reviewer"}),
        organiser.post(f"{CUP}/owner", json={"username": "organiser"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "owner_stays")
    add_member(organiser, "eve", "reviewer")

    assert organiser.post(f"{CUP}/owner", json={"username": "eve"}).status_code == 204

    assert members(eve) == [("eve", "owner"), ("organiser", "organiser")]
    assert organiser.post(f"{CUP}/owner", json={"username": "organiser"}).json()["code"] == "not_organiser"
    assert organiser.post(f"{CUP}/leave").status_code == 204
    assert api.anonymous.get(CUP).json()["owner"] == "eve"


def test_every_change_of_a_role_is_on_record(api: Api, phase: Phase, organiser: Caller) -> None:
    root, eve = api.caller("root", Role.OPERATOR), api.caller("eve")
    add_member(organiser, "eve", "reviewer")
    add_member(organiser, "eve", "reviewer")  # changes nothing
    eve.post(f"{CUP}/leave")
    organiser.post(f"{CUP}/owner", json={"username": "eve"})
    assert root.request("PATCH", f"{ACCOUNTS}/eve", json={"role": "organiser"}).status_code == 200

    with api.database.write() as session:
        link(session)
        by = {account.id: account.username for account in session.scalars(select(Account))}
        found = [
            (event.act, by[event.account_id or UUID(int=0)], by[UUID(event.details["account"])], event.competition_id)
            for event in session.scalars(select(AuditEvent).order_by(AuditEvent.number))
        ]
        cup = session.scalars(select(Competition.id)).one()
    assert found == [
        ("member_added", "organiser", "eve", cup),
        ("member_removed", "eve", "eve", cup),
        ("owner_changed", "organiser", "eve", cup),
        ("account_role_changed", "root", "eve", None),
    ]
    assert verify_database(api.database).problems == []


def test_refusals_say_why(api: Api, phase: Phase, organiser: Caller) -> None:
    api.caller("eve")
    for method, path, body, status, expected in (
        ("POST", PEOPLE, {"username": "nobody", "role": "organiser"}, 404, "not_found"),
        ("POST", PEOPLE, {"username": "eve", "role": "owner"}, 422, "invalid_request"),
        ("POST", PEOPLE, {"username": "eve", "role": "participant"}, 422, "invalid_request"),
        ("DELETE", f"{PEOPLE}/eve", None, 404, "not_found"),
        ("DELETE", f"{PEOPLE}/nobody", None, 404, "not_found"),
        ("POST", f"{CUP}/owner", {"username": "nobody"}, 404, "not_found"),
        ("POST", "/api/competitions/none/owner", {"username": "eve"}, 404, "not_found"),
    ):
        answer = organiser.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, expected), (method, path)
    root = api.caller("root", Role.OPERATOR)
    assert root.post(f"{CUP}/leave").json()["code"] == "not_found"


def test_competitions_of_different_organisers_know_nothing_of_each_other(
    api: Api, phase: Phase, organiser: Caller
) -> None:
    rival = api.caller("rival", Role.ORGANISER)
    assert rival.post("/api/competitions", json={"slug": "other", "title": "Other"}).status_code == 201
    add_member(organiser, "rival", "reviewer")
    assert rival.get(f"{CUP}/audit").status_code == 200
    assert organiser.get("/api/competitions/other/audit").json()["code"] == "not_organiser"
    assert rival.post(f"{CUP}/announcements", json={"title": "x", "body": "y"}).json()["code"] == "not_organiser"
    assert rival.post("/api/competitions/other/announcements", json={"title": "x", "body": "y"}).status_code == 201


def test_members_are_few_enough_for_one_answer(api: Api, phase: Phase, organiser: Caller) -> None:
    with api.database.write() as session:
        for number in range(MOST):
            account = add_account(session, f"m{number}")
            session.add(
                Member(competition_id=phase.competition_id, account_id=account.id, role=CompetitionRole.REVIEWER)
            )
    api.caller("eve")
    refused = organiser.post(PEOPLE, json={"username": "eve", "role": "reviewer"})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_members")
    assert organiser.post(PEOPLE, json={"username": "m0", "role": "organiser"}).status_code == 201
    assert len(members(organiser)) == MOST + 1


def test_one_of_two_owners_at_once_hands_it_over(api: Api, phase: Phase, organiser: Caller) -> None:
    """Otherwise the second would give away what belongs to somebody else already."""
    names = ["eve", "bob", "max", "zoe"]
    for name in names:
        api.caller(name)

    def hand_over(name: str) -> int:
        return organiser.post(f"{CUP}/owner", json={"username": name}).status_code

    with ThreadPoolExecutor(len(names)) as pool:
        answers = sorted(pool.map(hand_over, names))

    assert answers == [204, 403, 403, 403]
    with api.database.read() as session:
        assert session.scalars(select(Member.role)).all() == [CompetitionRole.ORGANISER]


WHO = st.sampled_from(["a", "b", "c"])
ACT = st.tuples(WHO, st.sampled_from(["organiser", "reviewer", "remove", "leave", "owner"]), WHO)
RULES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RULES
@given(acts=st.lists(ACT, max_size=12))
def test_no_sequence_of_acts_leaves_a_competition_without_an_owner(api: Api, acts: list[tuple[str, str, str]]) -> None:
    """Any of three people try anything; a model says who may, and what everybody's role is afterwards."""
    tag = uuid4().hex[:8]
    callers = {name: api.caller(f"{name}{tag}", Role.ORGANISER) for name in "abc"}
    slug = f"c{tag}"
    path = f"/api/competitions/{slug}"
    assert callers["a"].post("/api/competitions", json={"slug": slug, "title": "Cup"}).status_code == 201
    roles = {"a": "owner"}
    for who, act, whom in acts:
        name = f"{whom}{tag}"
        match act:
            case "remove":
                answer = callers[who].request("DELETE", f"{path}/members/{name}")
                if roles.get(who) == "owner" and roles.get(whom) != "owner":
                    roles.pop(whom, None)
            case "leave":
                answer = callers[who].post(f"{path}/leave")
                if roles.get(who) != "owner":
                    roles.pop(who, None)
            case "owner":
                answer = callers[who].post(f"{path}/owner", json={"username": name})
                if roles.get(who) == "owner" != roles.get(whom):
                    roles |= {who: "organiser", whom: "owner"}
            case _:
                answer = callers[who].post(f"{path}/members", json={"username": name, "role": act})
                if roles.get(who) == "owner" != roles.get(whom):
                    roles[whom] = act
        assert answer.status_code < 500
    owner = next(name for name, role in roles.items() if role == "owner")
    listed = callers[owner].get(f"{path}/members").json()["items"]
    assert {one["username"].removesuffix(tag): one["role"] for one in listed} == roles


def test_an_operator_makes_somebody_an_organiser_and_takes_it_back(api: Api, phase: Phase) -> None:
    root, eve = api.caller("root", Role.OPERATOR), api.caller("eve")
    new = {"slug": "new", "title": "New"}
    assert eve.post("/api/competitions", json=new).json()["code"] == "forbidden"

    assert root.request("PATCH", f"{ACCOUNTS}/eve", json={"role": "organiser"}).json()["role"] == "organiser"

    assert eve.post("/api/competitions", json=new).status_code == 201
    listed = root.get(ACCOUNTS).json()["items"]
    assert [(one["username"], one["role"]) for one in listed] == [
        ("eve", "organiser"),
        ("organiser", "organiser"),
        ("root", "operator"),
    ]

    assert root.request("PATCH", f"{ACCOUNTS}/eve", json={"role": "participant"}).status_code == 200

    assert eve.post("/api/competitions", json=new | {"slug": "newer"}).json()["code"] == "forbidden"
    own = {"title": "Mine", "body": "Still."}
    assert eve.post("/api/competitions/new/announcements", json=own).status_code == 201


def test_accounts_with_a_role_come_page_by_page(api: Api) -> None:
    root = api.caller("root", Role.OPERATOR)
    for name in ("ann", "bea", "cis"):
        api.caller(name, Role.ORGANISER)
    first = root.get(ACCOUNTS, params={"limit": 2}).json()
    second = root.get(ACCOUNTS, params={"limit": 2, "after": first["next"]}).json()
    assert [one["username"] for one in first["items"] + second["items"]] == ["ann", "bea", "cis", "root"]
    assert second["next"] is None


def test_the_last_operator_stays(api: Api) -> None:
    root = api.caller("root", Role.OPERATOR)
    refused = root.request("PATCH", f"{ACCOUNTS}/root", json={"role": "participant"})
    assert (refused.status_code, refused.json()["code"]) == (409, "last_operator")
    assert root.request("PATCH", f"{ACCOUNTS}/nobody", json={"role": "organiser"}).status_code == 404

    others = [api.caller(f"root{number}", Role.OPERATOR) for number in range(3)]
    with ThreadPoolExecutor(4) as pool:
        stepping_down = [(one, one.account.username if one.account else "") for one in [root, *others]]
        list(
            pool.map(
                lambda one: one[0].request("PATCH", f"{ACCOUNTS}/{one[1]}", json={"role": "organiser"}), stepping_down
            )
        )
    with api.database.read() as session:
        assert len(session.scalars(select(Account).where(Account.role == Role.OPERATOR)).all()) == 1

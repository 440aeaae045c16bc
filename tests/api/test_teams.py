"""Teams: made, joined by link and by name, left, handed on; who competes for which, and what nobody may."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from limits import parse
from sqlalchemy import func, select, update

from services.api.kit import rates
from services.core.models import Competition, Phase, Seat, TeamInvitation
from services.core.store.database import utc_now
from tests.api.harness import BOARD, Api, Caller, numbered
from tests.api.people import CUP, set_mode, set_rules
from tests.api.rescoring import submit_scored
from tests.api.teams import TEAMS, create, join, link, members, owners, problem
from tests.api.test_judging import acts

OFFERS = "/api/teams/gulls/offers"


@pytest.fixture
def eve(api: Api) -> Caller:
    return api.caller("eve")


def submit(caller: Caller, number: int = 0, **query: str) -> str | int:
    return problem(caller.submit(numbered(number), filename=f"{number}.py", **query))


def test_two_people_form_a_team_and_submit_as_one(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, eve: Caller
) -> None:
    create(participant, "gulls")
    assert join(eve, link(participant, "gulls")) == 200
    assert members(eve, "gulls") == [("ada", "captain"), ("eve", "member")]

    ours = submit_scored(api, participant, numbered(1), 0.5)
    assert submit(eve, 2) == 201

    assert [one["entry"] for one in api.anonymous.get(BOARD).json()["items"]] == ["gulls"]
    assert [one["entry"] for one in eve.get(BOARD).json()["own"]] == ["gulls"]
    assert len(eve.get("/api/submissions").json()["items"]) == 2
    assert eve.get(f"/api/submissions/{ours}/code").status_code == 200
    assert eve.get("/api/competitions/cup/phases/feedback/quota").json()["left"] == 3
    (own,) = eve.get("/api/me/teams").json()["items"]
    assert (own["name"], own["competition"], own["role"], own["members"]) == ("gulls", "cup", "member", 2)
    page = api.anonymous.get("/api/teams/gulls").json()
    assert [(one["phase"], one["rank"]) for one in page["entries"]] == [("feedback", 1)]
    people = organiser.get(f"{CUP}/registrations").json()["items"]
    assert [(one["username"], one["team"]) for one in people] == [("ada", "gulls"), ("eve", "gulls")]
    listed = api.anonymous.get(TEAMS).json()["items"]
    assert listed == [{"name": "gulls", "captain": None, "members": 2, "own": False}]
    assert {"team_made", "team_invitation_made", "team_joined"} <= set(acts(api))


def test_a_link_lets_in_as_many_as_it_says_until_it_ends(
    api: Api, phase: Phase, participant: Caller, eve: Caller
) -> None:
    create(participant, "gulls")
    code = link(participant, "gulls", uses=1)
    seen = eve.post("/api/joining/preview", json={"code": code}).json()
    assert (seen["team"]["name"], seen["team"]["title"], seen["obstacle"]) == ("gulls", "Cup", None)
    assert join(eve, code.upper()) == 200
    assert join(eve, code) == "bad_code"
    assert join(api.caller("bob"), code) == "bad_code"

    mia = api.caller("mia")
    expired, revoked = link(participant, "gulls"), link(participant, "gulls", uses=5)
    (newest, _) = participant.get("/api/teams/gulls/invitations").json()["items"]
    assert participant.post(f"/api/teams/gulls/invitations/{newest['id']}/revoke").status_code == 204
    with api.database.write() as session:
        session.execute(update(TeamInvitation).where(TeamInvitation.uses == 1).values(expires_at=utc_now()))
        stored = session.scalars(select(TeamInvitation.digest)).all()
    assert all(len(digest) == 64 and code not in digest for digest in stored)
    for wrong in (expired, revoked, "0" * 32, "nothing", ""):
        assert join(mia, wrong) == "bad_code"
        assert problem(mia.post("/api/joining/preview", json={"code": wrong})) in ("bad_code", "rate_limited")
    assert problem(mia.get("/api/teams/gulls/invitations")) == "not_in_team"


def test_codes_cannot_be_guessed_quickly(api: Api, phase: Phase, eve: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "CODE_PER_ACCOUNT", parse("2/hour"))
    assert [join(eve, "0" * 32) for _ in range(3)] == ["bad_code", "bad_code", "rate_limited"]


def test_an_offer_by_name_is_accepted_declined_or_withdrawn(
    api: Api, phase: Phase, participant: Caller, eve: Caller
) -> None:
    create(participant, "gulls")
    stranger = api.caller("bob")
    assert problem(participant.post(OFFERS, json={"username": "nobody"})) == "not_found"
    first = participant.post(OFFERS, json={"username": "eve"}).json()
    assert problem(participant.post(OFFERS, json={"username": "eve"})) == "already_offered"
    assert problem(stranger.post(f"/api/offers/{first['id']}/accept")) == "not_found"
    assert problem(participant.post(f"/api/offers/{first['id']}/accept")) == "not_captain"
    (seen,) = eve.get("/api/me/offers").json()["items"]
    assert (seen["team"], seen["username"], seen["yours_to_answer"]) == ("gulls", "eve", True)
    assert members(eve, "gulls") == [("ada", "captain")]  # whom one would join
    assert eve.post(f"/api/offers/{first['id']}/decline").status_code == 204
    assert members(eve, "gulls") == []
    assert members(participant, "gulls") == [("ada", "captain")]

    second = participant.post(OFFERS, json={"username": "eve"}).json()
    assert participant.post(f"/api/offers/{second['id']}/decline").status_code == 204
    assert problem(eve.post(f"/api/offers/{second['id']}/accept")) == "not_found"

    third = participant.post(OFFERS, json={"username": "eve"}).json()
    assert eve.post(f"/api/offers/{third['id']}/accept").status_code == 200
    assert members(eve, "gulls") == [("ada", "captain"), ("eve", "member")]
    assert eve.get("/api/me/offers").json()["items"] == []
    assert problem(participant.post(OFFERS, json={"username": "eve"})) == "in_another_team"


def test_only_the_captain_leads(api: Api, phase: Phase, participant: Caller, eve: Caller) -> None:
    create(participant, "gulls")
    assert join(eve, link(participant, "gulls")) == 200
    assert problem(eve.post("/api/teams/gulls/invitations", json={})) == "not_captain"
    assert problem(eve.request("PATCH", "/api/teams/gulls", json={"name": "terns"})) == "not_captain"
    assert problem(eve.request("DELETE", "/api/teams/gulls/members/ada")) == "not_captain"
    assert problem(participant.post("/api/teams/gulls/leave")) == "captain_stays"
    assert problem(participant.request("DELETE", "/api/teams/gulls/members/ada")) == "captain_stays"

    assert participant.post("/api/teams/gulls/captain", json={"username": "eve"}).status_code == 204
    assert members(eve, "gulls") == [("eve", "captain"), ("ada", "member")]
    assert eve.request("PATCH", "/api/teams/gulls", json={"name": "terns"}).status_code == 200
    assert eve.request("DELETE", "/api/teams/terns/members/ada").status_code == 204
    assert eve.post("/api/teams/terns/leave").status_code == 204
    assert problem(eve.get("/api/teams/terns")) == "not_found"
    assert problem(eve.request("PATCH", "/api/teams/eve", json={"name": "ada"})) == "own_team"
    assert problem(eve.post("/api/teams/eve/leave")) == "own_team"


@pytest.mark.parametrize("name", ["ada", "eve", "admin", "gu11s"])
def test_names_that_are_taken_look_alike_or_are_reserved(
    api: Api, phase: Phase, participant: Caller, eve: Caller, name: str
) -> None:
    create(eve, "gulls")
    create(participant, "terns")
    for answer in (
        api.caller("zoe").post(TEAMS, json={"name": name}),
        participant.request("PATCH", "/api/teams/terns", json={"name": name}),
    ):
        assert problem(answer) in ("name_taken", "name_reserved")


def test_whoever_left_before_the_team_submitted_is_free(
    api: Api, phase: Phase, participant: Caller, eve: Caller
) -> None:
    create(participant, "gulls")
    assert join(eve, link(participant, "gulls")) == 200
    assert problem(eve.post(TEAMS, json={"name": "terns"})) == "in_another_team"
    assert eve.post("/api/teams/gulls/leave").status_code == 204
    assert submit(participant, 1) == 201
    assert submit(eve, 2) == 201
    assert owners(api) == {"1.py": "gulls", "2.py": "eve"}


def test_whoever_left_a_team_that_submitted_competes_for_no_other(
    api: Api, phase: Phase, participant: Caller, eve: Caller
) -> None:
    create(participant, "gulls")
    assert join(eve, link(participant, "gulls")) == 200
    assert submit(participant, 1) == 201
    assert eve.post("/api/teams/gulls/leave").status_code == 204

    assert submit(eve, 2) == "bound_to_team"
    assert problem(eve.post(TEAMS, json={"name": "terns"})) == "bound_to_team"
    assert eve.get("/api/submissions").json()["items"] == []
    assert owners(api) == {"1.py": "gulls"}
    assert problem(participant.post("/api/teams/gulls/leave")) == "captain_stays"

    create(mia := api.caller("mia"), "kites")
    assert join(eve, link(mia, "kites")) == "bound_to_team"
    assert join(eve, link(participant, "gulls")) == 200
    assert submit(eve, 3) == 201


def test_joining_is_refused_to_those_whose_own_team_submitted_or_who_are_not_registered(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, eve: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(participant, "gulls")
    code = link(participant, "gulls", uses=5)
    assert submit(eve, 1) == 201
    assert join(eve, code) == "merge_needed"
    seen = eve.post("/api/joining/preview", json={"code": code}).json()
    assert (seen["code"], "lethe team merge THEIR-TEAM eve" in seen["obstacle"]) == ("merge_needed", True)

    set_rules(monkeypatch, "Be kind.")
    assert join(api.caller("bob"), code) == "not_registered"
    monkeypatch.undo()
    set_mode(organiser, "invitation")
    assert join(api.caller("mia"), code) == "not_registered"


def test_a_team_that_is_made_later_takes_its_captains_entries_along(
    api: Api, phase: Phase, participant: Caller, eve: Caller
) -> None:
    submit_scored(api, participant, numbered(1), 0.5)
    before = utc_now()
    create(participant, "gulls")
    assert join(eve, link(participant, "gulls")) == 200
    assert set(owners(api).values()) == {"gulls"}
    assert [one["entry"] for one in api.anonymous.get(BOARD).json()["items"]] == ["gulls"]
    then = api.anonymous.get(BOARD, params={"as_of": before.isoformat()}).json()["items"]
    assert [one["entry"] for one in then] == ["ada"]


def test_a_team_has_at_most_as_many_people_as_its_competition_allows(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    create(participant, "gulls")
    code = link(participant, "gulls", uses=9)
    assert join(api.caller("bob"), code) == 200
    change = {"size": 2}
    assert problem(organiser.request("PATCH", TEAMS, json=change)) == "confirmation_needed"
    assert organiser.request("PATCH", TEAMS, json=change | {"confirm": True}).json()["size"] == 2
    assert "teams.size: 5 before, 2 now" in organiser.get(f"{CUP}/announcements").text
    assert problem(participant.request("PATCH", TEAMS, json=change)) == "not_organiser"
    assert join(api.caller("mia"), code) == "team_full"
    assert organiser.get(CUP).json()["teams"] == {"size": 2, "merge_until": None}


def test_a_disqualified_team_stays_together(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, eve: Caller
) -> None:
    create(participant, "gulls")
    code = link(participant, "gulls", uses=5)
    assert join(eve, code) == 200
    body = {"team": "gulls", "reason": "Copied."}
    assert organiser.post(f"{CUP}/disqualifications", json=body).status_code == 201
    assert problem(eve.post("/api/teams/gulls/leave")) == "team_disqualified"
    assert join(api.caller("bob"), code) == "team_disqualified"
    assert submit(eve) == "team_disqualified"


def test_of_two_joins_at_once_one_counts(api: Api, phase: Phase, participant: Caller, eve: Caller) -> None:
    bob = api.caller("bob")
    create(participant, "gulls")
    create(eve, "terns")
    asked = [(bob, link(participant, "gulls")), (bob, link(eve, "terns"))]
    ready = Barrier(3)

    def act(number: int) -> str | int:
        ready.wait()
        return submit(bob, 1) if number == 2 else join(*asked[number])

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(act, range(3)))

    refused = {"team_changed", "in_another_team", "merge_needed"}
    assert set(answers[:2]) <= {200, *refused}
    assert answers[2] in (201, "team_changed")
    assert answers.count(200) + (answers.count(201) and not answers.count(200)) == 1
    with api.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Seat)) == 3


def test_of_several_that_join_the_last_place_one_does(api: Api, phase: Phase, participant: Caller) -> None:
    with api.database.write() as session:
        session.execute(update(Competition).values(team_size=2))
    create(participant, "gulls")
    code = link(participant, "gulls", uses=9)
    others = [api.caller(f"bob{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda other: join(other, code), others))
    assert sorted(map(str, answers)) == ["200", "team_full", "team_full", "team_full"]


def test_teams_are_listed_page_by_page_and_found_by_their_beginning(api: Api, phase: Phase) -> None:
    for name in ("gulls", "terns", "kites"):
        create(api.caller(f"of-{name}"), name)
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 2}
    while True:
        page = api.anonymous.get(TEAMS, params=query).json()
        seen += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert seen == ["kites", "terns", "gulls"]
    assert [one["name"] for one in api.anonymous.get(TEAMS, params={"search": "te"}).json()["items"]] == ["terns"]


def test_strangers_see_members_who_let_them(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, eve: Caller
) -> None:
    create(participant, "gulls")
    assert join(eve, link(participant, "gulls")) == 200
    profile = {"display_name": "Eve E.", "affiliation": "Lab", "link": "https://example.org/eve"}
    assert eve.request("PATCH", "/api/me", json=profile).status_code == 200

    zoe = api.caller("zoe")
    for stranger in (api.anonymous, zoe):
        page = stranger.get("/api/teams/gulls").json()
        assert (page["members"], page["members_hidden"]) == ([], 2)
        assert "eve" not in json.dumps(page)
    for insider in (participant, eve, organiser):
        page = insider.get("/api/teams/gulls").json()
        assert ([one["username"] for one in page["members"]], page["members_hidden"]) == (["ada", "eve"], 0)
        assert [one["display_name"] for one in page["members"]] == ["", ""]
        assert insider.get(TEAMS).json()["items"][0]["captain"] == "ada"

    assert eve.request("PATCH", "/api/me", json={"shown_in_teams": True}).status_code == 200
    page = api.anonymous.get("/api/teams/gulls").json()
    (shown,) = page["members"]
    assert (shown["username"], page["members_hidden"]) == ("eve", 1)
    assert shown == shown | profile
    assert api.anonymous.get(TEAMS).json()["items"][0]["captain"] is None
    assert participant.request("PATCH", "/api/me", json={"shown_in_teams": True}).status_code == 200
    assert api.anonymous.get(TEAMS).json()["items"][0]["captain"] == "ada"


def test_a_link_with_a_teams_id_outlives_its_name(api: Api, phase: Phase, participant: Caller, eve: Caller) -> None:
    create(participant, "gulls")
    stable = f"/api/teams/{api.anonymous.get('/api/teams/gulls').json()['id']}"
    assert participant.request("PATCH", "/api/teams/gulls", json={"name": "terns"}).status_code == 200
    assert api.anonymous.get("/api/teams/gulls").status_code == 404
    assert api.anonymous.get(stable).json()["name"] == "terns"
    # a team that is called like another's id takes no link from it
    create(eve, stable.rpartition("/")[2])
    assert api.anonymous.get(stable).json()["name"] == "terns"


def test_a_team_of_a_draft_is_seen_by_its_members_only(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    create(participant, "gulls")
    with api.database.write() as session:
        session.execute(update(Competition).values(visibility="draft"))
    assert [caller.get("/api/teams/gulls").status_code for caller in (api.anonymous, participant, organiser)] == [
        404,
        200,
        200,
    ]
    assert api.anonymous.get(TEAMS).status_code == 404

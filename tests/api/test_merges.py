"""Merging teams: who agrees, what must fit, what boards show before and after, and random acts of many people."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from services.core.board import campaigns, rescoring
from services.core.models import (
    Account,
    Competition,
    LeaderboardEntry,
    Line,
    Phase,
    Role,
    Seat,
    Shard,
    Submission,
    Team,
)
from services.core.store.database import utc_now
from tests.api.finals import choose, make_final
from tests.api.harness import BOARD, Api, Caller, add_phase, make_settings, numbered, running
from tests.api.people import CUP
from tests.api.rescoring import begin, go_live, submit_scored
from tests.api.teams import create, join, link, members, merge, offer_merge, open_merging, problem
from tests.api.test_judging import acts
from tests.databases import migrated_sqlite


@pytest.fixture
def eve(api: Api) -> Caller:
    return api.caller("eve")


@pytest.fixture
def gulls(api: Api, phase: Phase, participant: Caller) -> str:
    """A team of ada's, in a competition in which teams merge."""
    open_merging(api)
    return create(participant, "gulls")


def board(caller: Caller, **query: str) -> list[tuple[str, float, int]]:
    found = caller.get(BOARD, params=query).json()["items"]
    return [(one["entry"], one["final_score"], one["draws"]) for one in found]


def test_a_merged_team_has_the_better_entry_and_earlier_boards_stay(
    api: Api, gulls: str, participant: Caller, eve: Caller
) -> None:
    worse = submit_scored(api, participant, numbered(1), 0.25)
    better = submit_scored(api, eve, numbered(2), 0.5)
    before = utc_now().isoformat()
    shown = board(api.anonymous)
    assert shown == [("eve", 0.5, 1), ("gulls", 0.25, 1)]

    assert merge(participant, gulls, eve, "eve") == 200

    assert board(api.anonymous) == [("gulls", 0.5, 2)]
    assert board(api.anonymous, as_of=before) == shown
    assert members(eve, gulls) == [("ada", "captain"), ("eve", "member")]
    assert api.anonymous.get("/api/teams/gulls").json()["merged"] == ["eve"]
    for caller in (participant, eve):
        assert {one["id"] for one in caller.get("/api/submissions").json()["items"]} == {str(worse), str(better)}
    assert "teams_merged" in acts(api)
    with api.database.read() as session:
        moments = session.scalars(select(LeaderboardEntry.retired_at).where(LeaderboardEntry.retired_at.is_not(None)))
        assert len(set(moments)) == 1  # no board between shows one team without the other


def test_a_board_between_two_merges_shows_the_first_one_only(
    api: Api, gulls: str, participant: Caller, eve: Caller
) -> None:
    bob = api.caller("bob")
    for number, (caller, value) in enumerate([(participant, 0.25), (eve, 0.5), (bob, 0.75)]):
        submit_scored(api, caller, numbered(number), value)
    create(eve, "terns")
    assert merge(eve, "terns", bob, "bob") == 200
    between = utc_now().isoformat()
    shown = board(api.anonymous)
    assert shown == [("terns", 0.75, 2), ("gulls", 0.25, 1)]
    assert merge(participant, gulls, eve, "terns") == 200
    assert board(api.anonymous) == [("gulls", 0.75, 3)]
    assert board(api.anonymous, as_of=between) == shown
    assert api.anonymous.get("/api/teams/terns").json()["merged_into"] == "gulls"
    assert problem(eve.post("/api/teams/terns/invitations", json={})) == "not_captain"


def test_only_both_captains_merge_until_the_deadline(api: Api, gulls: str, participant: Caller, eve: Caller) -> None:
    bob = api.caller("bob")
    assert join(bob, link(participant, gulls)) == 200
    assert problem(offer_merge(bob, gulls, "eve")) == "not_captain"
    assert problem(offer_merge(participant, gulls, "bob")) == "team_elsewhere"
    assert problem(offer_merge(participant, gulls, gulls)) == "team_elsewhere"
    offer = offer_merge(participant, gulls, "eve").json()
    assert problem(participant.post(f"/api/offers/{offer['id']}/accept")) == "not_captain"
    assert problem(bob.post(f"/api/offers/{offer['id']}/accept")) == "not_found"
    for deadline in (None, utc_now() - timedelta(seconds=1)):
        with api.database.write() as session:
            session.execute(update(Competition).values(merge_until=deadline))
        assert problem(eve.post(f"/api/offers/{offer['id']}/accept")) == "merging_closed"
    open_merging(api, team_size=2)
    assert problem(eve.post(f"/api/offers/{offer['id']}/accept")) == "team_full"
    open_merging(api, team_size=3)
    assert eve.post(f"/api/offers/{offer['id']}/accept").status_code == 200
    assert len(members(eve, gulls)) == 3


def test_what_both_submitted_must_be_what_one_team_could_have(
    api: Api, gulls: str, participant: Caller, eve: Caller
) -> None:
    for number in range(4):
        assert (participant if number % 2 else eve).submit(numbered(number)).status_code == 201
    for limits in ({"quota_per_day": 3}, {"quota_per_day": 5, "quota_total": 3}):
        with api.database.write() as session:
            session.execute(update(Phase).values(**limits))
        assert merge(participant, gulls, eve, "eve") == "merge_over_quota"
    with api.database.write() as session:  # older ones count, too: 4 in the two days since the phase opened
        session.execute(update(Phase).values(quota_per_day=1, quota_total=None))
        session.execute(update(Submission).values(created_at=utc_now() - timedelta(hours=30)))
    assert merge(participant, gulls, eve, "eve") == "merge_over_quota"
    with api.database.write() as session:
        session.execute(update(Phase).values(quota_per_day=2))
    assert merge(participant, gulls, eve, "eve") == 200


def test_selections_and_started_finals_bound_a_merge(
    api: Api, organiser: Caller, gulls: str, participant: Caller, eve: Caller
) -> None:
    make_final(organiser, selects=1)
    first = submit_scored(api, participant, numbered(1), 0.25)
    second = submit_scored(api, eve, numbered(2), 0.5)
    assert {choose(participant, first).status_code, choose(eve, second).status_code} == {200}
    assert merge(participant, gulls, eve, "eve") == "too_many_selected"
    path = f"/api/competitions/cup/phases/final/final/selection/{first}"
    assert participant.request("DELETE", path).status_code == 200
    (offer,) = eve.get("/api/me/offers").json()["items"]
    assert organiser.post("/api/competitions/cup/phases/final/final/start").status_code == 200
    assert problem(eve.post(f"/api/offers/{offer['id']}/accept")) == "final_started"
    assert members(participant, gulls) == [("ada", "captain")]


def test_what_was_withdrawn_stays_so_and_a_disqualified_team_does_not_merge(
    api: Api, organiser: Caller, gulls: str, participant: Caller, eve: Caller
) -> None:
    best = submit_scored(api, eve, numbered(1), 0.5)
    submit_scored(api, participant, numbered(2), 0.25)
    assert eve.post(f"/api/submissions/{best}/withdraw").status_code == 200
    assert merge(participant, gulls, eve, "eve") == 200
    assert board(api.anonymous)[0][:2] == ("gulls", 0.25)
    assert participant.post(f"/api/submissions/{best}/reenter").status_code == 200
    assert board(api.anonymous)[0][:2] == ("gulls", 0.5)
    bob = api.caller("bob")
    assert bob.submit(numbered(3)).status_code == 201
    assert organiser.post(f"{CUP}/disqualifications", json={"team": "bob", "reason": "No."}).status_code == 201
    assert merge(participant, gulls, bob, "bob") == "team_disqualified"


def test_a_rescoring_that_is_undone_after_a_merge_leaves_the_merged_team(
    api: Api, organiser: Caller, gulls: str, participant: Caller, eve: Caller
) -> None:
    submit_scored(api, participant, numbered(1), 0.25, **{"lethe-1": 0.9})
    submit_scored(api, eve, numbered(2), 0.5, **{"lethe-1": 0.1})
    campaign = begin(organiser)
    with api.database.write() as session:
        for one in campaigns.open_campaigns(session):
            rescoring.settle(session, one)
    assert go_live(organiser, campaign).status_code == 200, "published"
    assert merge(participant, gulls, eve, "eve") == 200
    assert board(api.anonymous)[0][:2] == ("gulls", 0.9)
    assert organiser.post("/api/competitions/cup/phases/feedback/undo").status_code == 200
    assert board(api.anonymous)[0][:2] == ("gulls", 0.5)


def test_what_both_have_queued_waits_in_one_line(api: Api, gulls: str, participant: Caller, eve: Caller) -> None:
    for caller, number in ((participant, 1), (eve, 2), (eve, 3)):
        assert caller.submit(numbered(number)).status_code == 201
    with api.database.write() as session:
        session.execute(update(Line).where(Line.team_id.in_(select(Team.id).where(Team.name == "eve"))).values(turn=7))
    assert merge(participant, gulls, eve, "eve") == 200
    with api.database.read() as session:
        lines = session.execute(select(Line.queued, Line.turn, Team.name).join(Team, Team.id == Line.team_id)).all()
        assert sorted(tuple(one) for one in lines) == [(0, 7, "eve"), (6, 7, "gulls")]
        assert session.scalar(select(func.count(Shard.line_id.distinct()))) == 1


def test_a_submission_during_a_merge_counts_within_the_quota_of_one_team(
    api: Api, gulls: str, participant: Caller, eve: Caller
) -> None:
    for caller, number in ((participant, 1), (participant, 2), (eve, 3), (eve, 4)):
        assert caller.submit(numbered(number)).status_code == 201
    offer = offer_merge(participant, gulls, "eve").json()
    ready = Barrier(5)

    def act(number: int) -> str | int:
        ready.wait()
        if number == 0:
            return problem(eve.post(f"/api/offers/{offer['id']}/accept"))
        return problem((participant if number % 2 else eve).submit(numbered(10 + number)))

    with ThreadPoolExecutor(5) as pool:
        merged, *answers = pool.map(act, range(5))

    assert merged in (200, "merge_over_quota")
    assert set(answers) <= {201, "quota_exceeded", "team_changed"}
    with api.database.read() as session:
        counts = session.execute(select(Submission.team_id, func.count()).group_by(Submission.team_id)).all()
    assert sum(count for _, count in counts) == 4 + answers.count(201)
    assert all(count <= 5 for _, count in counts)
    assert len(counts) == (1 if merged == 200 else 2)


NAMES = ("ada", "bob", "cid", "dee")
PEOPLE = st.sampled_from(range(len(NAMES)))
ACTS = st.tuples(st.sampled_from(("submit", "create", "join", "leave", "remove", "merge")), PEOPLE, PEOPLE)


@pytest.fixture(scope="module")
def empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        migrated_sqlite(path)
        return path.read_bytes()


@settings(max_examples=10, deadline=None)
@given(todo=st.lists(ACTS, min_size=8, max_size=25))
@example(todo=[("create", 0, 0), *[("submit", one, 0) for one in (0, 0, 1, 1)], ("merge", 0, 1)])
@example(todo=[("create", 0, 0), ("join", 1, 0), ("submit", 1, 0), ("leave", 1, 0), ("submit", 1, 0)])
def test_whatever_people_do_each_has_one_team_and_no_team_more_than_one_teams_quota(
    empty: bytes, todo: list[tuple[str, int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lethe.db"
        path.write_bytes(empty)
        with running(make_settings(Path(folder), f"sqlite:///{path}")) as api:
            organiser = api.caller("owner", Role.ORGANISER)
            assert organiser.account is not None
            with api.database.write() as session:
                add_phase(session, organiser.account, quota_per_day=3)
            open_merging(api, team_size=3)
            people = [api.caller(name) for name in NAMES]
            accepted = 0
            for number, (what, one, other) in enumerate(todo):
                accepted += act_once(api, people, what, one, other, number)
                check(api, accepted)


def act_once(api: Api, people: list[Caller], what: str, one: int, other: int, number: int) -> int:
    """Let a person do something that may be refused; return how many submissions it made."""
    person, friend = people[one], people[other]
    own = team_of(person)
    match what:
        case "submit":
            return int(problem(person.submit(numbered(number))) == 201)
        case "create":
            person.post("/api/competitions/cup/teams", json={"name": f"team-{number:02}"})
        case "join":
            made = friend.post(f"/api/teams/{team_of(friend)}/invitations", json={})
            if made.status_code == 201:
                person.post("/api/joining", json={"code": made.json()["code"]})
        case "leave":
            person.post(f"/api/teams/{own}/leave")
        case "remove":
            person.request("DELETE", f"/api/teams/{own}/members/{NAMES[other]}")
        case "merge":
            made = offer_merge(person, own, team_of(friend) or NAMES[other])
            if made.status_code == 201:
                friend.post(f"/api/offers/{made.json()['id']}/accept")
    return 0


def team_of(person: Caller) -> str:
    items = person.get("/api/me/teams").json()["items"]
    assert len(items) <= 1
    return items[0]["name"] if items else "none"


def check(api: Api, accepted: int) -> None:
    with api.database.read() as session:
        rows = session.execute(select(Submission.account_id, Submission.team_id)).all()
        assert len(rows) == accepted  # none is lost
        by_person: dict[UUID, set[UUID]] = {}
        for account_id, team_id in rows:
            by_person.setdefault(account_id, set()).add(team_id)
        assert all(len(teams) == 1 for teams in by_person.values())
        counts = session.execute(select(Submission.team_id, func.count()).group_by(Submission.team_id)).all()
        assert all(count <= 3 for _, count in counts)
        seats = session.scalars(select(Seat)).all()
        there = [seat for seat in seats if seat.left_at is None]
        sizes = [sum(seat.team_id == one for seat in there) for one in {seat.team_id for seat in there}]
        assert all(size <= 3 for size in sizes)
        assert sum(seat.role == "captain" for seat in seats) == len(sizes)  # each team has one
        for account_id, (team_id,) in by_person.items():
            seat = next(one for one in seats if one.account_id == account_id)
            assert seat.team_id == team_id
            assert session.get(Account, account_id) is not None

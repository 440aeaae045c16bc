"""Organisers and reviewers in a competition's file: named, compared, given and taken; the owner stays the owner."""

from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.core.models import Act, AuditEvent, Role
from tests.api.harness import Api, Caller, add_benchmark
from tests.api.test_competition_files import APPLY, applied, apply, mistakes, paths, preview

HEAD = "lethe: 1\nslug: cup\ntitle: The cup\nvisibility: draft\n"
MEMBERS = "/api/competitions/cup/members"


@pytest.fixture(autouse=True)
def people(api: Api) -> dict[str, Caller]:
    return {name: api.caller(name, Role.PARTICIPANT) for name in ("ada", "grace", "alan")}


def roles(owner: Caller) -> dict[str, str]:
    """Who has which role, as the page People shows it."""
    return {one["username"]: one["role"] for one in owner.get(MEMBERS).json()["items"]}


def export(who: Caller) -> str:
    answer = who.get("/api/competitions/cup/file")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


def test_a_file_names_who_runs_and_reviews(api: Api, organiser: Caller, people: dict[str, Caller]) -> None:
    made = applied(organiser, HEAD + "organisers: [grace, ada]\nreviewers:\n  - alan\n")

    assert [path for path in paths(made["changes"]) if "ers." in path] == [
        "organisers.ada",
        "organisers.grace",
        "reviewers.alan",
    ]
    assert roles(organiser) == {"organiser": "owner", "ada": "organiser", "grace": "organiser", "alan": "reviewer"}
    assert people["ada"].get("/api/competitions/cup/file").status_code == 200
    assert "organisers: [ada, grace]\nreviewers: [alan]\n" in export(people["alan"])
    assert preview(organiser, export(organiser)).json()["changes"] == []


def test_a_file_without_the_fields_changes_nobody(organiser: Caller) -> None:
    applied(organiser, HEAD + "organisers: [ada]\nreviewers: [alan]\n")
    assert paths(applied(organiser, HEAD.replace("The cup", "Cup"))["changes"]) == ["title"]
    assert roles(organiser) == {"organiser": "owner", "ada": "organiser", "alan": "reviewer"}


def test_what_a_file_says_differently_is_shown_before_and_on_record(api: Api, organiser: Caller) -> None:
    applied(organiser, HEAD + "organisers: [ada, grace]\n")
    text = HEAD + "organisers: [alan]\nreviewers: [ada]\n"
    shown = [(one["path"], one["kind"]) for one in preview(organiser, text).json()["changes"]]
    assert shown == [
        ("organisers.ada", "removed"),
        ("organisers.alan", "added"),
        ("organisers.grace", "removed"),
        ("reviewers.ada", "added"),
    ]
    assert roles(organiser) == {"organiser": "owner", "ada": "organiser", "grace": "organiser"}
    applied(organiser, text)
    assert roles(organiser) == {"organiser": "owner", "alan": "organiser", "ada": "reviewer"}
    with api.database.read() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.created_at, AuditEvent.id)).all()
    kinds = [event.act for event in events]
    assert (kinds.count(Act.MEMBER_ADDED), kinds.count(Act.MEMBER_REMOVED)) == (4, 1)
    assert not any(name in str(event.details) for event in events for name in ("grace", "alan"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("organisers: [nobody-at-all]\n", [(5, "organisers.0")]),
        ("organisers:\n  - ada\n  - gracee\nreviewers:\n  - alann\n", [(7, "organisers.1"), (9, "reviewers.0")]),
        ("organisers: [ada]\nreviewers: [ada]\n", [(6, "reviewers.0")]),
        ("organisers: [ada, ada]\n", [(5, "organisers.1")]),
        ("organisers: [organiser]\n", [(5, "organisers.0")]),
        ("organisers: ada\n", [(5, "organisers")]),
        ("organisers: [Ada!]\n", [(5, "organisers.0")]),
        ("organisers: [a, b, c]\nseeds: 3\n", [(5, f"organisers.{n}") for n in range(3)] + [(6, "seeds")]),
        (f"reviewers: [{', '.join(f'a{n}' for n in range(51))}]\n", [(5, "reviewers")]),
    ],
)
def test_every_mistake_is_told_with_its_line(organiser: Caller, text: str, told: list[tuple[int, str]]) -> None:
    assert mistakes(organiser, HEAD + text) == told


def test_a_deleted_account_is_unknown(api: Api, organiser: Caller, people: dict[str, Caller]) -> None:
    with api.database.write() as session:
        account = session.merge(people["ada"].account)
        account.deleted_at = account.created_at
    assert mistakes(organiser, HEAD + "organisers: [ada]\n") == [(5, "organisers.0")]


def test_a_name_that_has_the_other_role_is_told_to_leave_it(organiser: Caller) -> None:
    applied(organiser, HEAD + "organisers: [ada]\nreviewers: [alan]\n")
    assert mistakes(organiser, HEAD + "reviewers: [ada, alan]\n") == [(5, "reviewers.0")]
    applied(organiser, HEAD + "organisers: []\nreviewers: [ada, alan]\n")
    assert roles(organiser) == {"organiser": "owner", "ada": "reviewer", "alan": "reviewer"}


def test_more_than_fifty_in_all_are_refused(api: Api, organiser: Caller) -> None:
    names = [f"p{number}" for number in range(51)]
    for name in names:
        api.caller(name, Role.PARTICIPANT)
    applied(organiser, HEAD + f"organisers: [{', '.join(names[:30])}]\n")
    over = HEAD + f"reviewers: [{', '.join(names[30:])}]\n"
    assert mistakes(organiser, over) == [(5, "reviewers")]
    applied(organiser, HEAD + f"organisers: [{', '.join(names[1:30])}]\nreviewers: [{', '.join(names[30:])}]\n")
    assert len(roles(organiser)) == 51


def test_an_organiser_applies_files_but_gives_and_takes_no_roles(organiser: Caller, people: dict[str, Caller]) -> None:
    applied(organiser, HEAD + "organisers: [ada]\nreviewers: [alan]\n")
    ada = people["ada"]
    for line in ("organisers: [ada, grace]\n", "organisers: []\n"):
        assert mistakes(ada, HEAD + line) == [(5, "organisers")]
    assert paths(applied(ada, export(ada).replace("The cup", "Cup"))["changes"]) == ["title"]
    assert roles(organiser) == {"organiser": "owner", "ada": "organiser", "alan": "reviewer"}


def test_an_operator_gives_roles_and_the_owner_stays(api: Api, organiser: Caller) -> None:
    applied(organiser, HEAD)
    operator = api.caller("op", Role.OPERATOR)
    assert mistakes(operator, HEAD + "organisers: [organiser]\n") == [(5, "organisers.0")]
    applied(operator, HEAD + "organisers: [op]\n")
    assert roles(organiser) == {"organiser": "owner", "op": "organiser"}


def test_a_role_given_elsewhere_in_between_refuses_the_file(organiser: Caller) -> None:
    applied(organiser, HEAD)
    text = HEAD + "organisers: [ada]\n"
    token = preview(organiser, text).json()["token"]
    assert organiser.post(MEMBERS, json={"username": "grace", "role": "reviewer"}).status_code == 201
    assert apply(organiser, text, based_on=token).json()["code"] == "competition_changed"
    assert roles(organiser) == {"organiser": "owner", "grace": "reviewer"}


def test_settings_from_the_page_keep_no_names(api: Api, organiser: Caller) -> None:
    with api.database.write() as session:
        add_benchmark(session)
    window = "opens_at: 2026-01-01T00:00:00Z, closes_at: 2099-01-01T00:00:00Z, seeds: 8"
    phase = f"phases:\n  - {{slug: one, kind: check, benchmark: tiny, {window}}}\n"
    applied(organiser, HEAD + "organisers: [ada]\n" + phase)
    path = "/api/competitions/cup/phases/one/settings"
    found: dict[str, Any] = organiser.get(path).json()
    body = {"settings": found["settings"] | {"quota_per_day": 9}, "based_on": found["token"]}
    assert organiser.request("PUT", path, json=body).status_code == 200
    kept = organiser.get("/api/competitions/cup/file/versions/2").json()["text"]
    assert "ada" not in kept
    assert roles(organiser) == {"organiser": "owner", "ada": "organiser"}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(st.lists(st.sampled_from(["-", "organiser", "reviewer"]), min_size=3, max_size=3), max_size=2))
def test_any_file_makes_exactly_the_roles_that_it_names(organiser: Caller, states: list[list[str]]) -> None:
    for state in states:
        by_role: dict[str, list[str]] = {"organiser": [], "reviewer": []}
        for name, role in zip(("ada", "grace", "alan"), state, strict=True):
            by_role.get(role, []).append(name)
        text = HEAD + "".join(f"{role}s: [{', '.join(names)}]\n" for role, names in by_role.items())
        plan = preview(organiser, text).json()
        body = {"text": text, "based_on": plan["token"], "confirm": False}
        assert organiser.post(APPLY, json=body).status_code == 200
        expected = {name: role for role, name in product(by_role, ("ada", "grace", "alan")) if name in by_role[role]}
        assert roles(organiser) == {"organiser": "owner"} | expected

"""The settings of a phase, changed one by one from a page: by the rules of the file, and on the state one has seen."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from services.api.files.form import PhaseSection
from services.core.models import Act, AuditEvent, BenchmarkRow, Phase
from tests.api.harness import Api, Caller, add_benchmark

SETTINGS = "/api/competitions/cup/phases/feedback/settings"
FILE = """\
lethe: 1
slug: cup
title: The cup
visibility: public
contact: cup@example.org
phases:
  - slug: feedback
    kind: feedback
    benchmark: tiny
    opens_at: 2026-01-01T00:00:00Z
    closes_at: 2099-01-01T00:00:00Z
    seeds: 8
  - slug: late
    kind: feedback
    benchmark: tiny
    opens_at: 2098-01-01T00:00:00Z
    closes_at: 2099-01-01T00:00:00Z
    seeds: 8
"""


@pytest.fixture
def cup(api: Api, organiser: Caller) -> BenchmarkRow:
    with api.database.write() as session:
        benchmark = add_benchmark(session)
    made = organiser.post("/api/competition-files/apply", json={"text": FILE})
    assert made.status_code == 200, made.text
    return benchmark


def settings_of(who: Caller, phase: str = "feedback") -> dict[str, Any]:
    answer = who.get(f"/api/competitions/cup/phases/{phase}/settings")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def put(
    who: Caller, change: dict[str, Any], *, phase: str = "feedback", seen: Any = None, confirm: bool = False
) -> httpx2.Response:
    shown = seen or settings_of(who, phase)
    body = {"settings": shown["settings"] | change, "based_on": shown["token"], "confirm": confirm}
    return who.request("PUT", f"/api/competitions/cup/phases/{phase}/settings", json=body)


@pytest.mark.usefixtures("cup")
def test_the_settings_are_all_that_a_file_says_of_a_phase(organiser: Caller) -> None:
    assert settings_of(organiser)["settings"].keys() == PhaseSection.model_fields.keys()


@pytest.mark.usefixtures("cup")
def test_what_is_read_and_put_back_changes_nothing(organiser: Caller) -> None:
    answer = put(organiser, {})
    assert (answer.status_code, answer.json()["changes"], answer.json()["number"]) == (200, [], None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "Practice"),
        ("seeds", 4),
        ("quota_total", 30),
        ("seed_timeout_s", 12.5),
        ("data_hidden", False),
        ("max_time_ratio", 0.5),
    ],
)
@pytest.mark.usefixtures("cup")
def test_any_setting_is_changed_and_the_others_stay(api: Api, organiser: Caller, name: str, value: Any) -> None:
    before = settings_of(organiser)["settings"]

    answer = put(organiser, {name: value}, confirm=True)

    assert answer.status_code == 200, answer.text
    assert [change["path"] for change in answer.json()["changes"]] == [f"phases.feedback.{name}"]
    after = settings_of(organiser)
    assert after["settings"] == before | {name: value}
    assert after["token"] == answer.json()["token"]
    assert organiser.get("/api/competitions/cup/file/versions").json()["items"][0]["number"] == 2
    with api.database.read() as session:
        acts = list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.created_at)))
    assert acts.count(Act.FILE_APPLIED) == 2


@pytest.mark.usefixtures("cup")
def test_what_participants_rely_on_asks_first_and_is_announced(organiser: Caller) -> None:
    refused = put(organiser, {"seeds": 4})
    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_needed")
    assert refused.json()["paths"] == ["phases.feedback.seeds"]
    assert settings_of(organiser)["settings"]["seeds"] == 8
    assert put(organiser, {"seeds": 4}, phase="late").status_code == 200  # it has not opened

    assert put(organiser, {"seeds": 4}, confirm=True).status_code == 200

    [told] = organiser.get("/api/competitions/cup/announcements").json()["items"]
    assert "feedback.seeds: 8 before, 4 now" in told["body"]


@pytest.mark.usefixtures("cup")
def test_the_second_of_two_sees_that_something_changed(organiser: Caller) -> None:
    seen = settings_of(organiser)
    assert put(organiser, {"title": "Mine"}, seen=seen).status_code == 200
    late = put(organiser, {"title": "Mine, too"}, seen=seen)
    assert (late.status_code, late.json()["code"]) == (409, "competition_changed")
    assert settings_of(organiser)["settings"]["title"] == "Mine"


@pytest.mark.usefixtures("cup")
def test_rules_of_the_file_hold_for_the_form(organiser: Caller) -> None:
    unfit = put(organiser, {"seeds": 9_999})
    assert (unfit.status_code, unfit.json()["code"]) == (422, "bad_competition_file")
    assert unfit.json()["errors"][0]["path"] == "phases.feedback.seeds"
    wrong = put(organiser, {"closes_at": "2025-01-01T00:00:00Z"}, confirm=True)
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "phases.feedback.closes_at")
    other = put(organiser, {"slug": "renamed"})
    assert (other.status_code, "never changes" in other.json()["detail"]) == (422, True)
    assert organiser.get("/api/competitions/cup/phases/none/settings").status_code == 404


@pytest.mark.usefixtures("cup")
def test_further_phases_of_a_final_follow_the_first(api: Api, organiser: Caller) -> None:
    with api.database.write() as session:
        digest = add_benchmark(session, "small", "e" * 64).digest
    body = {"slug": "end", "kind": "final", "benchmark": "tiny", "further_benchmarks": [digest], "seeds": 8}
    window = {"opens_at": "2098-01-01T00:00:00Z", "closes_at": "2099-01-01T00:00:00Z"}
    assert organiser.post("/api/competitions/cup/phases", json=body | window).status_code == 201

    assert put(organiser, {"seeds": 4, "selects": 3}, phase="end").status_code == 200

    with api.database.read() as session:
        seeds = session.scalars(select(Phase.seeds).where(Phase.slug.in_(["end", "end-2"])))
        assert list(seeds) == [4, 4]
    assert organiser.get("/api/competitions/cup/phases/end-2/settings").status_code == 404

"""Comparing two submissions, and the alarms that only an organiser sees."""

from uuid import uuid4

import pytest

from services.core.models import LeaderboardEntry, Phase, Role
from tests.api.harness import Api, prepare
from tests.api.scores import put

ALARMS = "/api/competitions/cup/phases/feedback/alarms"
LEAK = {"kind": "above_ceiling", "message": "F is 0.9, the ceiling 0.2."}


def comparison(one: LeaderboardEntry, other: LeaderboardEntry) -> str:
    return f"/api/submissions/{one.submission_id}/comparison?other={other.submission_id}"


def test_board_entries_are_compared_by_the_paired_test(api: Api, phase: Phase) -> None:
    """Margins of 0.03 and 0.04 of independent entries are one of 0.05."""
    one, other = put(api, phase, "one", 0.30, margin=0.03), put(api, phase, "other", 0.24, margin=0.04)

    found = api.caller("reader").get(comparison(one, other)).json()

    assert (found["metric"], found["separated"]) == ("neurips-2023", True)
    assert [found[side]["team"] for side in ("first", "second")] == ["one", "other"]
    assert [found[side]["name"] for side in ("first", "second")] == ["by one", "by other"]
    assert [found[side]["final_score"] for side in ("first", "second")] == [0.30, 0.24]
    assert (found["difference"], found["low"], found["high"]) == pytest.approx((0.06, 0.01, 0.11))
    assert 0.975 < found["p_better"] < 1
    assert found["p_better_elsewhere"] == pytest.approx(found["p_better"], abs=0.2)


def test_what_is_neither_on_a_board_nor_ones_own_is_not_compared(api: Api) -> None:
    owner = prepare(api)
    hidden = owner.submit().json()["id"]
    stranger = api.caller("stranger")

    answer = stranger.get(f"/api/submissions/{hidden}/comparison", params={"other": hidden})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert stranger.get(f"/api/submissions/{uuid4()}/comparison?other={uuid4()}").status_code == 404
    assert api.anonymous.get(f"/api/submissions/{hidden}/comparison?other={hidden}").status_code == 401


def test_submissions_without_a_score_are_not_compared(api: Api) -> None:
    owner = prepare(api)
    own = owner.submit().json()["id"]

    answer = owner.get(f"/api/submissions/{own}/comparison", params={"other": own})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_scored")


def test_submissions_of_two_phases_are_not_compared(api: Api, phase: Phase) -> None:
    with api.database.write() as session:
        first = session.get_one(Phase, phase.id)
        values = {
            column.key: getattr(first, column.key)
            for column in Phase.__table__.columns
            if column.key not in {"id", "slug", "created_at"}
        }
        second = Phase(**values, slug="final")
        session.add(second)
        session.flush()
    one, other = put(api, phase, "one", 0.3), put(api, second, "other", 0.2)

    answer = api.caller("reader").get(comparison(one, other))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_comparable")


def test_alarms_are_shown_to_the_organiser_alone(api: Api, phase: Phase) -> None:
    put(api, phase, "honest", 0.1)
    entry = put(api, phase, "leaky", 0.9, alarms=[LEAK])
    boss = api.caller("operator", Role.OPERATOR)

    page = boss.get(ALARMS).json()

    assert page == {
        "items": [
            {
                "submission_id": str(entry.submission_id),
                "team": "leaky",
                "submission": "by leaky",
                "final_score": 0.9,
                "alarms": [LEAK],
            }
        ],
        "next": None,
    }
    assert api.caller("other-organiser", Role.ORGANISER).get(ALARMS).json()["code"] == "not_organiser"
    assert api.caller("participant").get(ALARMS).status_code == 403
    board = api.anonymous.get("/api/competitions/cup/phases/feedback/leaderboard").json()
    assert "alarms" not in board["items"][0]


def test_an_alarm_changes_no_score_and_no_rank(api: Api, phase: Phase) -> None:
    put(api, phase, "leaky", 0.9, alarms=[LEAK])

    item = api.anonymous.get("/api/competitions/cup/phases/feedback/leaderboard").json()["items"][0]

    assert (item["final_score"], item["rank"]) == (0.9, 1)

"""Boards: order, pages, dates and entity tags."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from services.core.models import Phase, Reference, Team
from services.core.store.database import utc_now
from tests.api.harness import BOARD, Api, Caller
from tests.api.scores import publish, put, retire

NOW = utc_now().replace(microsecond=0)


def put_own(api: Api, phase: Phase, who: Caller, final_score: float, **options: Any) -> None:
    """Put an entry of a caller's team on the board."""
    assert who.account is not None
    with api.database.write() as session:
        team = session.scalars(select(Team).where(Team.name == who.account.username)).one()
        publish(session, session.get_one(Phase, phase.id), team, final_score, **options)


def read(api: Api, **query: Any) -> list[dict[str, Any]]:
    """Read all pages of a board."""
    items: list[dict[str, Any]] = []
    page = api.anonymous.get(BOARD, params=query).json()
    while True:
        items += page["items"]
        if page["next"] is None:
            return items
        page = api.anonymous.get(BOARD, params=query | {"after": page["next"]}).json()


def test_an_entry_is_shown_with_its_uncertainty(api: Api, phase: Phase) -> None:
    put(api, phase, "retrain", 0.5, reference=Reference.RETRAIN, run_s=10.0, submitted_at=NOW)
    entry = put(api, phase, "good", 0.25, margin=0.02, run_s=1.0, submitted_at=NOW)

    board = api.anonymous.get(BOARD).json()
    shown = board["items"][1]

    assert (board["competition"], board["phase"], board["metric"]) == ("cup", "feedback", "neurips-2023")
    assert (board["total"], board["max_time_ratio"], board["next"]) == (2, 0.2, None)
    assert shown == {
        "entry": "good",
        "submission_id": str(entry.submission_id),
        "submission": "by good",
        "reference": "none",
        "rank": 1,
        "unranked_reason": None,
        "rank_best": 1,
        "rank_worst": 1,
        "tie_group": 1,
        "metric": "neurips-2023",
        "forgetting_quality": 0.25,
        "forgetting_quality_low": 0.23,
        "forgetting_quality_high": 0.27,
        "utility": 1.0,
        "utility_low": 0.99,
        "utility_high": 1.01,
        "final_score": 0.25,
        "ci_low": 0.23,
        "ci_high": 0.27,
        "generalisation_low": None,
        "variance": None,
        "generalisation_high": None,
        "ceiling": None,
        "ceiling_low": None,
        "ceiling_high": None,
        "seeds": 8,
        "distinct_models": 8,
        "effective_models": 8,
        "run_s": 1.0,
        "time_ratio": 0.1,
        "time_ratio_low": None,
        "time_ratio_high": None,
        "cost": None,
        "draws": 1,
        "luck": 0.0,
        "wall_s": 90.0,
        "flags": [],
        "other_scores": {},
        "suites": {},
        "certificate": None,
        "submitted_at": NOW.isoformat().replace("+00:00", "Z"),
    }


def test_an_empty_board_is_a_board(api: Api, phase: Phase) -> None:
    board = api.anonymous.get(BOARD).json()

    assert (board["items"], board["total"], board["as_of"], board["next"]) == ([], 0, None, None)


def test_boards_of_what_does_not_exist_are_not_found(api: Api, phase: Phase) -> None:
    for path in (BOARD.replace("cup", "none"), BOARD.replace("feedback", "none")):
        assert api.anonymous.get(path).status_code == 404


def test_equal_scores_stand_in_order_of_submission(api: Api, phase: Phase) -> None:
    put(api, phase, "late", 0.5, submitted_at=NOW)
    put(api, phase, "early", 0.5, submitted_at=NOW - timedelta(hours=1))

    assert [(item["entry"], item["rank"]) for item in read(api)] == [("early", 1), ("late", 2)]


@pytest.mark.parametrize("limit", [1, 3, 7, 200])
def test_pages_are_those_of_a_list(api: Api, phase: Phase, limit: int) -> None:
    source = random.Random(limit)
    moments = [NOW - timedelta(hours=number) for number in range(3)]
    expected = []
    for number in range(12):
        score, moment = source.choice([0.1, 0.2, 0.3]), source.choice(moments)
        entry = put(api, phase, f"t{number}", score, submitted_at=moment)
        expected.append(((-score, moment, entry.submission_id), f"t{number}"))

    items = read(api, limit=limit)

    assert [item["entry"] for item in items] == [name for _, name in sorted(expected)]
    assert [item["rank"] for item in items] == list(range(1, 13))
    assert items == read(api)


def test_all_pages_show_the_board_of_the_first(api: Api, phase: Phase) -> None:
    for number in range(4):
        put(api, phase, f"t{number}", 0.5 - number / 10, submitted_at=NOW - timedelta(hours=1))
    first = api.anonymous.get(BOARD, params={"limit": 2}).json()
    put(api, phase, "winner", 0.9)
    put(api, phase, "loser", 0.01)

    second = api.anonymous.get(BOARD, params={"limit": 2, "after": first["next"]}).json()

    assert [(item["entry"], item["rank"]) for item in second["items"]] == [("t2", 3), ("t3", 4)]
    assert second["next"] is None
    assert len(read(api)) == 6


def test_a_board_can_be_read_as_of_any_date(api: Api, phase: Phase) -> None:
    """A re-run moved the pointer of `a` yesterday; the board of the day before still shows the old one."""
    days = [NOW - timedelta(days=number) for number in range(4)]
    old = put(api, phase, "a", 0.9, submitted_at=days[3], published_at=days[3])
    put(api, phase, "b", 0.5, submitted_at=days[2], published_at=days[2])
    with api.database.write() as session:
        retire(session, old.id, days[1])
        team = session.get_one(Team, old.team_id)
        publish(session, session.get_one(Phase, phase.id), team, 0.1, submitted_at=days[3], published_at=days[1])

    def board(moment: Any) -> list[tuple[str, float]]:
        return [(item["entry"], item["final_score"]) for item in read(api, as_of=moment.isoformat(), limit=1)]

    second = timedelta(seconds=1)
    assert board(days[3] - second) == []
    assert board(days[3]) == board(days[2] - second) == [("a", 0.9)]
    assert board(days[2]) == board(days[1] - second) == [("a", 0.9), ("b", 0.5)]
    assert board(days[1]) == board(days[0]) == [("b", 0.5), ("a", 0.1)]
    assert [item["entry"] for item in read(api)] == ["b", "a"]


def test_an_unchanged_board_is_not_sent_again(api: Api, phase: Phase) -> None:
    put(api, phase, "a", 0.5)
    first = api.anonymous.get(BOARD)
    tag = {"If-None-Match": first.headers["etag"]}

    again = api.anonymous.get(BOARD, headers=tag)

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"] == "no-cache"
    assert api.anonymous.get(BOARD, headers=tag, params={"limit": 1}).status_code == 200
    put(api, phase, "b", 0.4)
    changed = api.anonymous.get(BOARD, headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_undoing_a_publication_changes_the_tag(api: Api, phase: Phase) -> None:
    put(api, phase, "a", 0.5)
    entry = put(api, phase, "b", 0.4)
    tag = {"If-None-Match": api.anonymous.get(BOARD).headers["etag"]}

    with api.database.write() as session:
        retire(session, entry.id)

    assert [item["entry"] for item in api.anonymous.get(BOARD, headers=tag).json()["items"]] == ["a"]


def test_own_rows_come_with_the_first_page_wherever_they_stand(api: Api, phase: Phase, participant: Caller) -> None:
    for number in range(4):
        put(api, phase, f"t{number}", 0.5 - number / 10, submitted_at=NOW)
    put_own(api, phase, participant, 0.05, submitted_at=NOW)
    put_own(api, phase, participant, 0.9, submitted_at=NOW, reference=Reference.RETRAIN, run_s=10.0)

    first = participant.get(BOARD, params={"limit": 2}).json()
    second = participant.get(BOARD, params={"limit": 2, "after": first["next"]}).json()

    assert [(item["entry"], item["rank"]) for item in first["own"]] == [("ada", 5)]
    assert first["own"][0] == read(api)[-1]
    assert "ada" not in [item["entry"] for item in first["items"] if item["reference"] == "none"]
    assert second["own"] == []
    assert api.anonymous.get(BOARD).json()["own"] == api.caller("eve").get(BOARD).json()["own"] == []
    assert participant.get(BOARD, params={"as_of": (NOW - timedelta(days=1)).isoformat()}).json()["own"] == []


def test_a_board_with_own_rows_is_not_taken_for_that_of_others(api: Api, phase: Phase, participant: Caller) -> None:
    put_own(api, phase, participant, 0.5)
    mine, public = participant.get(BOARD), api.anonymous.get(BOARD)

    assert mine.headers["vary"] == public.headers["vary"] == "Authorization, Cookie"
    assert participant.get(BOARD, headers={"If-None-Match": mine.headers["etag"]}).status_code == 304
    assert participant.get(BOARD, headers={"If-None-Match": public.headers["etag"]}).status_code == 200


@pytest.mark.parametrize("query", [{"as_of": "2026-01-01T00:00:00"}, {"as_of": "x"}, {"limit": 0}, {"limit": 201}])
def test_questions_that_make_no_sense_are_refused(api: Api, phase: Phase, query: dict[str, str]) -> None:
    assert api.anonymous.get(BOARD, params=query).status_code == 422


def test_cursors_belong_to_their_board(api: Api, phase: Phase) -> None:
    for number in range(2):
        put(api, phase, f"t{number}", 0.5)
    cursor = api.anonymous.get(BOARD, params={"limit": 1}).json()["next"]

    for query in ({"after": cursor, "as_of": NOW.isoformat()}, {"after": cursor[:-1]}, {"after": "x" * 50}):
        assert api.anonymous.get(BOARD, params=query).json()["code"] == "bad_cursor"

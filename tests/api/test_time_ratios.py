"""The time of retraining that ratios rest on: one for the board, a rescoring's preview and a submission's page."""

from datetime import timedelta
from typing import Any

import pytest

from services.core.models import LeaderboardEntry, Phase, Reference, Submission, Team
from services.core.models.costs import CostForm
from services.core.store.database import utc_now
from tests.api.harness import BOARD, Api, Caller
from tests.api.rescoring import moves_of
from tests.api.scores import publish, score

PHASE = "/api/competitions/cup/phases/feedback"
NOW = utc_now()
ROUNDS = 6  # of publishing and undoing: a coin that is tossed shows both sides, but for one time in 32


def cost(ratio: float) -> CostForm:
    """A cost that is known to 10%."""
    return CostForm(
        ratio=ratio,
        low=0.9 * ratio,
        high=1.1 * ratio,
        of="processor",
        run_s=ratio,
        trainer_s=1.0,
        runs=512,
        trainer_runs=4,
    )


def put(api: Api, phase: Phase, team: str, final_score: float, **options: Any) -> LeaderboardEntry:
    """Put a new team on the board, with scores by both metrics."""
    with api.database.write() as session:
        row = Team(name=team)
        session.add(row)
        session.flush()
        entry = publish(session, session.get_one(Phase, phase.id), row, final_score, **options)
        evaluation_id = session.get_one(Submission, entry.submission_id).evaluation_id
        score(session, evaluation_id, final_score, metric="lethe-1", run_s=options["run_s"], cost=options.get("cost"))
        return entry


@pytest.fixture
def entry(api: Api, phase: Phase) -> LeaderboardEntry:
    """An entry of 3 s, where a team's retraining took 20 s, and then another team's 30 s: a ratio of 0.15."""
    for team, run_s, minutes in (("first", 20.0, 3), ("second", 30.0, 2)):
        submitted_at = NOW - timedelta(minutes=minutes)
        put(api, phase, team, 0.9, reference=Reference.RETRAIN, run_s=run_s, submitted_at=submitted_at)
    return put(api, phase, "a", 0.3, run_s=3.0, submitted_at=NOW - timedelta(minutes=1))


def shown(api: Api) -> tuple[int | None, str | None, float | None]:
    [item] = [item for item in api.anonymous.get(BOARD).json()["items"] if item["entry"] == "a"]
    return item["rank"], item["unranked_reason"], item["time_ratio"]


def test_an_entry_keeps_its_rank_and_ratio_when_a_rescoring_is_published_and_undone(
    api: Api, organiser: Caller, entry: LeaderboardEntry
) -> None:
    """All pointers move at once, so nothing of a pointer may decide which retraining counts."""
    found = [shown(api)]
    for _ in range(ROUNDS):
        campaign = organiser.post(f"{PHASE}/campaigns", json={"metric": "lethe-1"}).json()
        preview = moves_of(organiser, campaign)
        assert [(m["before"]["rank"], m["after"]["rank"]) for m in preview if m["team"] == "a"] == [(1, 1)]
        assert organiser.post(f"{PHASE}/campaigns/{campaign['id']}/publish").status_code == 200
        found.append(shown(api))
        assert organiser.post(f"{PHASE}/undo").status_code == 200
        found.append(shown(api))

    assert set(found) == {(1, None, 0.15)}


def test_board_and_submission_page_tell_the_same_ratio(
    api: Api, phase: Phase, organiser: Caller, entry: LeaderboardEntry
) -> None:
    """Also when another reference comes after the entry was scored."""
    found = []
    for reference_s in (None, 15.0):
        if reference_s is not None:
            put(api, phase, "third", 0.9, reference=Reference.RETRAIN, run_s=reference_s, submitted_at=NOW)
        page = organiser.get(f"/api/submissions/{entry.submission_id}").json()
        assert {score["time_ratio"] for score in (page["score"], *page["other_scores"])} == {shown(api)[2]}
        assert page["score"]["retraining_s"] == api.anonymous.get(BOARD).json()["retraining_s"] == (reference_s or 20.0)
        found.append(shown(api)[2])

    assert found == [0.15, 0.2]


def test_a_faster_retraining_counts_whenever_it_was_submitted(
    api: Api, phase: Phase, organiser: Caller, entry: LeaderboardEntry
) -> None:
    submitted_at = NOW - timedelta(minutes=9)
    put(api, phase, "late", 0.9, reference=Reference.RETRAIN, run_s=6.0, submitted_at=submitted_at, published_at=NOW)
    page = organiser.get(f"/api/submissions/{entry.submission_id}").json()

    assert shown(api) == (None, "too_slow", 0.5)
    assert page["score"]["time_ratio"] == 0.5


def test_without_a_reference_there_is_no_ratio(api: Api, phase: Phase, organiser: Caller) -> None:
    alone = put(api, phase, "a", 0.3, run_s=3.0)
    page = organiser.get(f"/api/submissions/{alone.submission_id}").json()

    assert (page["score"]["time_ratio"], shown(api)[2]) == (None, None)


def test_a_cost_that_was_measured_beside_the_trainer_counts_and_needs_no_retraining_on_the_board(
    api: Api, phase: Phase, organiser: Caller
) -> None:
    """Not the mean time, which is that of a slow machine here."""
    entry = put(api, phase, "a", 0.3, run_s=30.0, cost=cost(0.15))
    page = organiser.get(f"/api/submissions/{entry.submission_id}").json()["score"]
    [item] = api.anonymous.get(BOARD).json()["items"]

    assert shown(api) == (1, None, 0.15)
    for found in (page, item):
        assert [found[name] for name in ("time_ratio_low", "time_ratio", "time_ratio_high")] == pytest.approx(
            [0.135, 0.15, 0.165]
        )
        assert (found["cost"]["of"], found["cost"]["trainer_runs"]) == ("processor", 4)
    assert page["retraining_cost"] == api.anonymous.get(BOARD).json()["retraining_cost"] == 1.0


def test_a_faster_retraining_of_an_organiser_is_the_one_to_beat(api: Api, phase: Phase, organiser: Caller) -> None:
    """Both costs are in runs of the platform's trainer, so the ratio of the two counts."""
    entry = put(api, phase, "a", 0.3, run_s=3.0, cost=cost(0.15), submitted_at=NOW)
    put(api, phase, "platform", 0.9, reference=Reference.RETRAIN, run_s=20.0, cost=cost(1.02))
    put(api, phase, "by hand", 0.9, reference=Reference.RETRAIN, run_s=9.0, cost=cost(0.25))
    page = organiser.get(f"/api/submissions/{entry.submission_id}").json()["score"]

    assert shown(api)[:2] == (None, "too_slow")
    assert (shown(api)[2], page["time_ratio"], page["retraining_cost"]) == pytest.approx((0.6, 0.6, 0.25))


def test_entries_with_and_without_a_cost_stand_on_one_board(api: Api, phase: Phase, entry: LeaderboardEntry) -> None:
    """Those of earlier versions, and notebooks, keep the ratio of mean times."""
    put(api, phase, "b", 0.2, run_s=30.0, cost=cost(0.1))
    put(api, phase, "c", 0.1, run_s=0.1, cost=cost(0.3))
    found = {item["entry"]: item for item in api.anonymous.get(BOARD).json()["items"]}

    assert [found[name]["time_ratio"] for name in "abc"] == [0.15, 0.1, 0.3]
    assert [found[name]["unranked_reason"] for name in "abc"] == [None, None, "too_slow"]
    assert [found[name]["time_ratio_low"] is None for name in "abc"] == [True, False, False]

"""What a score means: of what a perfect retraining earns, where it stands, and what noise and many tries say."""

from typing import Any

import pytest
from sqlalchemy import update

from services.core.models import BenchmarkRow, LeaderboardEntry, Phase, Reference, Score
from tests.api.harness import Api, Caller
from tests.api.scores import put


def told(organiser: Caller, entry: LeaderboardEntry) -> dict[str, Any]:
    organiser.keep_boards()
    found: dict[str, Any] = organiser.get(f"/api/submissions/{entry.submission_id}/standing").json()
    return found


def benchmark(api: Api, **manifest: Any) -> None:
    with api.database.write() as session:
        session.execute(update(BenchmarkRow).values(manifest=manifest))


def test_a_score_is_a_share_of_the_ceiling_with_a_rank_and_its_reach(api: Api, phase: Phase, organiser: Caller) -> None:
    benchmark(api, oracle_seeds=8, fitness={"ceiling": 0.2})
    first = put(api, phase, "ada", 0.19, margin=0.001)
    third = put(api, phase, "lee", 0.082, margin=0.03)
    put(api, phase, "kim", 0.084, margin=0.03)

    assert told(organiser, first)["sentence"] == "95% of what a perfect retraining earns here; rank 1."
    found = told(organiser, third)
    assert found["sentence"] == "41% of what a perfect retraining earns here; rank 3, could be 2 to 3."
    assert (found["perfect_score"], found["perfect_basis"], found["place"]["total"]) == (0.2, "benchmark", 3)
    loss, ceiling, noise = found["remarks"]
    assert loss == "Most is lost in forgetting quality: forgetting quality is 41% of retraining's, utility 100%."
    assert "earns 0.2000 here, 0.1180 more" in ceiling
    assert "from 0.0520 to 0.1120" in noise


def test_the_loss_is_named_where_it_is(api: Api, phase: Phase, organiser: Caller) -> None:
    benchmark(api, oracle_seeds=8, fitness={"ceiling": 0.2})
    entry = put(api, phase, "ada", 0.19)
    with api.database.write() as session:
        session.execute(update(Score).values(utility=0.5, final_score=0.095))
    assert told(organiser, entry)["remarks"][0].startswith("Most is lost in utility: forgetting quality is 95%")


@pytest.mark.parametrize(
    ("manifest", "reference", "basis", "sentence"),
    [
        ({"oracle_seeds": 512, "fitness": {"ceiling": 0.2}}, None, "other_runs", "About 50% of what"),
        ({"oracle_seeds": 512, "fitness": {"ceiling": 0.2}}, 0.4, "reference", "About 25% of what"),
        ({"oracle_seeds": 512}, None, None, "A score of 0.1000; rank 1"),
    ],
)
def test_what_a_perfect_retraining_earns_is_told_as_well_as_it_is_known(
    api: Api,
    phase: Phase,
    organiser: Caller,
    manifest: dict[str, Any],
    reference: float | None,
    basis: str | None,
    sentence: str,
) -> None:
    benchmark(api, **manifest)
    entry = put(api, phase, "ada", 0.1)
    if reference is not None:
        put(api, phase, "org", reference, reference=Reference.RETRAIN)
    found = told(organiser, entry)
    assert found["perfect_basis"] == basis
    assert found["sentence"].startswith(sentence)


def test_a_metric_may_say_itself_what_a_perfect_retraining_earns(api: Api, phase: Phase, organiser: Caller) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).values(metric="lethe-2"))
    found = told(organiser, put(api, phase, "ada", 0.41, metric="lethe-2"))
    assert found["sentence"] == "41% of what a perfect retraining earns here; rank 1."
    assert found["perfect_basis"] == "metric"


def test_what_is_not_on_the_board_has_no_rank(api: Api, phase: Phase, organiser: Caller) -> None:
    entry = put(api, phase, "ada", 0.1)
    found = organiser.get(f"/api/submissions/{entry.submission_id}/standing").json()
    assert found["sentence"] == "A score of 0.1000; no rank yet."
    slow = put(api, phase, "org", 0.1, reference=Reference.RETRAIN)
    assert "a reference row, never ranked" in told(organiser, slow)["sentence"]


def test_what_has_no_score_has_no_standing(api: Api, phase: Phase, participant: Caller) -> None:
    mine = participant.submit().json()["id"]
    refused = participant.get(f"/api/submissions/{mine}/standing")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_scored")
    assert api.caller("lee").get(f"/api/submissions/{mine}/standing").status_code == 404

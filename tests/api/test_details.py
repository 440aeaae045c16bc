"""What participants see of their runs: histograms, run times and print-outs, unless the phase hides its data."""

import csv
import io
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.models import Device, Evaluation, Phase, Score, State
from services.core.queue.leases import WorkerOffer, claim, finish, record
from services.core.queue.notes import keep_log
from services.core.settings import Settings
from services.scorer.consumer import Scorer
from tests.api.harness import Api, Caller
from tests.api.scores import measure, score
from tests.bundles import COUNTS, make_tiny_bundle, oracle_as_measured

OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)
HIDDEN = ["details", "log"]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_tiny_bundle(tmp_path / "bundle", oracle_seeds=16)


@pytest.fixture
def scored(api: Api, phase: Phase, participant: Caller, bundle: Bundle, settings: Settings) -> dict[str, Any]:
    """A submission whose models are the oracle's last ones, measured as a worker would and scored by the scorer."""
    with api.database.write() as session:
        session.get_one(Phase, phase.id).benchmark = bundle_store.publish(session, api.state.blobs, bundle)
    submitted: dict[str, Any] = participant.submit().json()
    for _ in range(2):
        with api.database.write() as session:
            held = claim(session, OFFER, 60)
            assert held is not None
            seeds = range(held.seed_start, held.seed_stop)
            record(session, held, oracle_as_measured(bundle, api.state.blobs, seeds, skip=8))
            keep_log(session, held, api.state.blobs.put(b"loss 0.5\n\xe2\x82\xac"))
            finish(session, held)
    scorer = Scorer(settings)
    assert scorer.serve() == 1
    scorer.database.dispose()
    return submitted


def hide(api: Api) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).values(data_hidden=True))


def test_a_scored_submission_shows_what_its_score_is_made_of(scored: dict[str, Any], participant: Caller) -> None:
    path = f"/api/submissions/{scored['id']}"

    shown, found = participant.get(path).json(), participant.get(f"{path}/details").json()

    assert (shown["has_details"], shown["has_log"]) == (True, True)
    assert (found["metric"], found["run_s"]) == ("neurips-2023", [0.5 + seed for seed in range(8)])
    assert found["peak_memory_bytes"] == 10**9 + 7
    histograms = found["histograms"]
    assert (histograms["bucket"], sum(histograms["epsilons"])) == (0.5, COUNTS.forget)
    for side in ("unlearned", "oracle"):
        assert sum(histograms["confidences"][side]) == 8 * COUNTS.forget
        assert [sum(one["confidences"][side]) for one in histograms["examples"]] == [8] * 6
    assert [one["place"] for one in histograms["examples"]] == ["best", "best", "median", "median", "worst", "worst"]


def test_print_outs_are_read_as_plain_text(scored: dict[str, Any], participant: Caller) -> None:
    answer = participant.get(f"/api/submissions/{scored['id']}/log")

    assert (answer.status_code, answer.text) == (200, "loss 0.5\n€")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_everything_measured_can_be_downloaded(
    api: Api, scored: dict[str, Any], participant: Caller, settings: Settings
) -> None:
    path = f"/api/submissions/{scored['id']}"
    rows = list(csv.DictReader(io.StringIO(participant.get(f"{path}/runs.csv").text)))
    assert [(row["run"], float(row["run_s"])) for row in rows] == [(str(run), 0.5 + run) for run in range(8)]

    scorer = Scorer(settings)
    assert scorer.tidying.tidy(UUID(scored["evaluation_id"]))
    scorer.database.dispose()
    shown = participant.get(path).json()
    assert (shown["has_runs"], shown["has_measurements"]) == (True, True)
    assert len(Measurements.from_bytes(participant.get(f"{path}/measurements").content)) == 8

    hide(api)
    shown = participant.get(path).json()
    assert (shown["has_runs"], shown["has_measurements"]) == (False, False)
    assert [participant.get(f"{path}/{part}").status_code for part in ("runs.csv", "measurements")] == [404, 404]


@pytest.mark.parametrize("part", HIDDEN)
def test_where_data_are_hidden_they_are_for_organisers_alone(
    api: Api, scored: dict[str, Any], participant: Caller, organiser: Caller, part: str
) -> None:
    """A run time or a print-out of each of 512 runs would carry the hidden data out."""
    hide(api)
    path = f"/api/submissions/{scored['id']}"

    assert (participant.get(f"{path}/{part}").status_code, organiser.get(f"{path}/{part}").status_code) == (404, 200)
    assert [caller.get(path).json()[f"has_{part}"] for caller in (participant, organiser)] == [False, True]


@pytest.mark.parametrize("part", HIDDEN)
def test_others_cannot_tell_details_from_none(api: Api, scored: dict[str, Any], part: str) -> None:
    answer = api.caller("eve").get(f"/api/submissions/{scored['id']}/{part}")

    assert (answer.status_code, "that you may see" in answer.json()["detail"]) == (404, True)


def test_there_are_no_details_before_the_score(api: Api, phase: Phase, participant: Caller) -> None:
    submitted = participant.submit().json()
    path = f"/api/submissions/{submitted['id']}"
    with api.database.write() as session:
        measure(session, UUID(submitted["evaluation_id"]))

    assert [participant.get(f"{path}/{part}").status_code for part in HIDDEN] == [404, 404]
    shown = participant.get(path).json()
    assert (shown["has_details"], shown["has_log"]) == (False, False)


def test_scores_of_before_histograms_were_kept_show_run_times_alone(
    api: Api, phase: Phase, participant: Caller
) -> None:
    submitted = participant.submit().json()
    with api.database.write() as session:
        measure(session, UUID(submitted["evaluation_id"]))
        score(session, UUID(submitted["evaluation_id"]), 0.25)

    found = participant.get(f"/api/submissions/{submitted['id']}/details").json()

    assert found == {"metric": "neurips-2023", "run_s": [], "peak_memory_bytes": None, "histograms": None}


def test_histograms_are_kept_with_every_score_and_not_read_with_it(api: Api, scored: dict[str, Any]) -> None:
    with api.database.read() as session:
        rows = session.scalars(select(Score)).all()
        assert {row.metric for row in rows} == {"neurips-2023", "lethe-1", "lethe-2"}
        assert not any("histograms" in row.__dict__ for row in rows)
        assert all(row.histograms is not None for row in rows)
        assert session.scalars(select(Evaluation.state)).one() is State.MEASURED

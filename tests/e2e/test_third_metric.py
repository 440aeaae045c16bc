"""A third metric: an entry of the catalogue and a function are all that it takes to score, rank and show by it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.core import catalogue
from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.catalogue import MetricInfo
from services.core.models import Device, Role
from services.core.queue.leases import WorkerOffer, claim, finish, record
from services.core.settings import Settings
from services.scorer.consumer import Scorer
from services.scorer.metrics import METRICS, Estimate, Forgetting, Sides
from services.scorer.metrics.registry import metric as register
from services.scorer.metrics.uncertainty import SPLITS
from tests.api.harness import BOARD, Api, Caller, make_settings, running
from tests.bundles import make_tiny_bundle, oracle_as_measured

SEEDS = 8
TOY = "toy-1"
QUALITY = 0.375


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A metric by which everybody forgets equally well."""
    entry = MetricInfo(TOY, "Toy 1", "Everybody forgets equally well.", "this test", has_ceiling=False)
    monkeypatch.setitem(catalogue.METRICS, TOY, entry)

    @register(TOY, clipped_utility=True)
    def judge(sides: Sides) -> Forgetting:
        examples = sides.unlearned.shape[1]
        return Forgetting(
            quality=Estimate(QUALITY, 0.25, 0.5),
            epsilons=np.zeros(examples, np.float32),
            points=np.full(examples, QUALITY),
            halves=np.full((SPLITS, 2, examples), QUALITY),
            effective_models=len(sides.unlearned),
            flags=(),
        )

    yield
    del METRICS[TOY]


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path, database_url)


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    with running(settings) as api:
        yield api


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_tiny_bundle(tmp_path / "tiny", oracle_seeds=2 * SEEDS)


@pytest.fixture
def scorer(settings: Settings) -> Iterator[Scorer]:
    made = Scorer(settings)
    yield made
    made.database.dispose()


def open_phase(organiser: Caller, benchmark: str, metric: str) -> dict[str, Any]:
    organiser.post("/api/competitions", json={"slug": "cup", "title": "Cup"})
    made = organiser.post(
        "/api/competitions/cup/phases",
        json={
            "slug": "feedback",
            "kind": "feedback",
            "benchmark": benchmark,
            "closes_at": "2099-01-01T00:00:00Z",
            "seeds": SEEDS,
            "metric": metric,
            "references": False,
        },
    )
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def run_all(api: Api, scorer: Scorer, bundle: Bundle) -> None:
    """Measure what is queued, as a worker does, and score it."""
    with api.database.write() as session:
        held = claim(session, WorkerOffer("worker", Device.CPU, "cpu", 2**40), 60)
        assert held is not None
        record(session, held, oracle_as_measured(bundle, scorer.blobs, range(SEEDS), skip=SEEDS))
        finish(session, held)
    assert scorer.serve() == 1


@pytest.mark.usefixtures("toy")
def test_a_phase_ranks_by_it(api: Api, scorer: Scorer, bundle: Bundle) -> None:
    assert TOY in [one["name"] for one in api.anonymous.get("/api/metrics").json()["metrics"]]
    with api.database.write() as session:
        bundle_store.publish(session, scorer.blobs, bundle)
    assert open_phase(api.caller("organiser", Role.ORGANISER), bundle.manifest.digest, TOY)["metric"] == TOY
    participant = api.caller("ada")
    submitted = participant.submit().json()

    run_all(api, scorer, bundle)

    shown = participant.get(f"/api/submissions/{submitted['id']}").json()
    assert (shown["score"]["metric"], shown["score"]["forgetting_quality"]) == (TOY, QUALITY)
    assert {one["metric"] for one in shown["other_scores"]} == catalogue.METRICS.keys() - {TOY}
    board = api.anonymous.get(BOARD).json()
    assert (board["metric"], [entry["forgetting_quality"] for entry in board["items"]]) == (TOY, [QUALITY])
    assert set(board["items"][0]["other_scores"]) == catalogue.METRICS.keys() - {TOY}


@pytest.mark.usefixtures("toy")
def test_a_leaderboard_is_rescored_by_it(api: Api, scorer: Scorer, bundle: Bundle) -> None:
    organiser = api.caller("organiser", Role.ORGANISER)
    with api.database.write() as session:
        bundle_store.publish(session, scorer.blobs, bundle)
    open_phase(organiser, bundle.manifest.digest, catalogue.DEFAULT_METRIC)
    api.caller("ada").submit()
    run_all(api, scorer, bundle)

    campaigns = "/api/competitions/cup/phases/feedback/campaigns"
    started = organiser.post(campaigns, json={"metric": TOY}).json()
    scorer.sweep()
    scorer.serve()

    assert organiser.post(f"{campaigns}/{started['id']}/publish").status_code == 200
    board = api.anonymous.get(BOARD).json()
    assert (board["metric"], board["items"][0]["forgetting_quality"]) == (TOY, QUALITY)

"""Losses by forget example: the scorer keeps them where data are public, and nowhere else."""

import hashlib
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save
from sqlalchemy import update

from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.models import Device, Evaluation, Phase
from services.core.models.losses import LossesForm
from services.core.queue.leases import WorkerOffer, claim, finish, record
from services.core.settings import Settings
from services.scorer.consumer import Scorer
from services.scorer.losses import MOST
from services.scorer.metrics import Sides, epsilons, points_of
from services.scorer.scoring import gather
from tests.api.harness import Api, Caller
from tests.bundles import COUNTS, make_tiny_bundle, oracle_as_measured

OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)
MODELS, SKIPPED = 8, 8


@pytest.fixture(scope="module", params=[False, True], ids=["numbers", "pictures"])
def bundle(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Bundle:
    made = make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", oracle_seeds=MODELS + SKIPPED)
    return as_pictures(made) if request.param else made


def as_pictures(bundle: Bundle) -> Bundle:
    """Let the examples be pictures of one row, and let there be a second oracle."""
    backwards = {name: getattr(bundle.oracle(), name)[::-1].copy() for name in Measurements.__slots__}
    (bundle.hidden / "second_oracle.safetensors").write_bytes(Measurements(**backwards).to_bytes())
    path = bundle.root / "public/forget.safetensors"
    split = load_file(path)
    split["image"] = split["image"][:, None, None, :]
    path.write_bytes(save(split))
    manifest = json.loads((bundle.root / "manifest.json").read_bytes())
    manifest["input_shape"] = list(split["image"].shape[1:])
    for changed in ("public/forget.safetensors", "hidden/second_oracle.safetensors"):
        data = (bundle.root / changed).read_bytes()
        manifest["files"][changed] = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    (bundle.root / "manifest.json").write_text(json.dumps(manifest))
    return Bundle(bundle.root)


def run(api: Api, phase: Phase, participant: Caller, bundle: Bundle, settings: Settings, *, hidden: bool) -> str:
    """Submit, measure as a worker would and score; return the path of the submission."""
    with api.database.write() as session:
        row = session.get_one(Phase, phase.id)
        row.benchmark, row.data_hidden = bundle_store.publish(session, api.state.blobs, bundle), hidden
    submitted = participant.submit().json()
    for _ in range(2):
        with api.database.write() as session:
            held = claim(session, OFFER, 60)
            assert held is not None
            seeds = range(held.seed_start, held.seed_stop)
            record(session, held, oracle_as_measured(bundle, api.state.blobs, seeds, skip=SKIPPED))
            finish(session, held)
    scorer = Scorer(settings)
    assert scorer.serve() == 1
    scorer.database.dispose()
    return f"/api/submissions/{submitted['id']}"


def kept(api: Api) -> LossesForm | None:
    with api.database.read() as session:
        return session.query(Evaluation).one().losses


def test_what_is_told_apart_most_comes_first_with_what_retraining_gets_there(
    api: Api, phase: Phase, participant: Caller, bundle: Bundle, settings: Settings
) -> None:
    path = run(api, phase, participant, bundle, settings, hidden=False)

    found: dict[str, Any] = participant.get(f"{path}/losses").json()

    oracle = bundle.oracle()
    labels = bundle.forget_labels()
    evidence = gather(
        Measurements(**{name: getattr(oracle, name)[SKIPPED:] for name in Measurements.__slots__}), bundle
    )
    sides = Sides.of(evidence)
    expected = epsilons(sides.unlearned, sides.oracle)
    retrained = None if sides.second is None else epsilons(sides.second, sides.oracle)
    points = points_of(expected, MODELS)
    assert participant.get(path).json()["has_losses"] is True
    assert (found["total"], len(found["examples"])) == (COUNTS.forget, min(MOST, COUNTS.forget))
    assert found["quality"] == pytest.approx(points.mean(), abs=1e-6)
    for one in found["examples"]:
        assert one["epsilon"] == pytest.approx(expected[one["example"]], abs=1e-5)
        assert one["quality"] == pytest.approx(points[one["example"]], abs=1e-6)
        assert one["label"] == labels[one["example"]]
        if retrained is None:
            assert (one["retrained_epsilon"], one["retrained_quality"]) == (None, None)
        else:
            assert one["retrained_epsilon"] == pytest.approx(retrained[one["example"]], abs=1e-5)
    beyond = [one["epsilon"] - (one["retrained_epsilon"] or 0.0) for one in found["examples"]]
    assert beyond == sorted(beyond, reverse=True)
    assert sum(one["examples"] for one in found["labels"]) == COUNTS.forget
    lost = [one["quality"] - (one["retrained_quality"] or 0.0) for one in found["labels"]]
    assert lost == sorted(lost)
    if retrained is not None:
        assert found["retrained_quality"] == pytest.approx(points_of(retrained, MODELS).mean(), abs=1e-6)
    assert (retrained is None) == (len(bundle.manifest.input_shape) == 1)


def test_pictures_are_of_the_listed_examples_if_there_are_any(
    api: Api, phase: Phase, participant: Caller, bundle: Bundle, settings: Settings
) -> None:
    path = run(api, phase, participant, bundle, settings, hidden=False)
    listed = participant.get(f"{path}/losses").json()["examples"]
    pictures = len(bundle.manifest.input_shape) == 3

    assert {one["has_picture"] for one in listed} == {pictures}
    answer = participant.get(f"{path}/losses/{listed[0]['example']}/picture")
    assert answer.status_code == (200 if pictures else 404)
    assert participant.get(f"{path}/losses/{COUNTS.forget}/picture").status_code == 404
    if pictures:
        image = bundle.arrays("public/forget.safetensors")["image"][listed[0]["example"], 0]
        shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L"), dtype=float)
        assert shown.shape == image.shape
        assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] > 0.99
        assert answer.headers["content-type"] == "image/png"
        assert api.caller("lee").get(f"{path}/losses/{listed[0]['example']}/picture").status_code == 404


def test_nothing_is_kept_or_shown_where_data_are_hidden(
    api: Api, phase: Phase, participant: Caller, organiser: Caller, bundle: Bundle, settings: Settings
) -> None:
    path = run(api, phase, participant, bundle, settings, hidden=True)

    assert kept(api) is None
    for caller in (participant, organiser):
        assert caller.get(path).json()["has_losses"] is False
        assert caller.get(f"{path}/losses").status_code == 404
        assert caller.get(f"{path}/losses/0/picture").status_code == 404


def test_what_was_kept_is_shown_to_nobody_once_data_are_hidden(
    api: Api, phase: Phase, participant: Caller, organiser: Caller, bundle: Bundle, settings: Settings
) -> None:
    path = run(api, phase, participant, bundle, settings, hidden=False)
    assert kept(api) is not None
    example = participant.get(f"{path}/losses").json()["examples"][0]["example"]
    with api.database.write() as session:
        session.execute(update(Phase).values(data_hidden=True))

    for caller in (participant, organiser):
        assert caller.get(path).json()["has_losses"] is False
        assert caller.get(f"{path}/losses").status_code == 404
        assert caller.get(f"{path}/losses/{example}/picture").status_code == 404


def test_strangers_see_no_losses(
    api: Api, phase: Phase, participant: Caller, bundle: Bundle, settings: Settings
) -> None:
    path = run(api, phase, participant, bundle, settings, hidden=False)
    assert api.caller("lee").get(f"{path}/losses").status_code == 404

"""Entries of different teams that move weights nearly alike are listed when they are scored, whatever their code is."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from safetensors.numpy import save
from sqlalchemy import func, select, update

from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.models import CodeBand, Copy, Device, Evaluation, Phase, Reference, Submission
from services.core.queue.leases import MeasuredSeed, WorkerOffer, claim, finish, record
from services.core.settings import Settings
from services.scorer import copies
from services.scorer.consumer import Scorer
from services.scorer.metrics import Movement
from tests.api.harness import Api, Caller, numbered
from tests.bundles import make_tiny_bundle

COPIES = "/api/competitions/cup/copies"
RUNS = 32
OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)
Enter = Callable[..., UUID]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", oracle_seeds=RUNS)


@pytest.fixture
def enter(api: Api, phase: Phase, bundle: Bundle, settings: Settings) -> Enter:
    """Submit as a team, and be measured and scored with models that moved a way, give or take."""
    with api.database.write() as session:
        row = session.get_one(Phase, phase.id)
        row.benchmark = bundle_store.publish(session, api.state.blobs, bundle)
        row.seeds = row.shard_seeds = RUNS
    callers: dict[str, Caller] = {}
    number = 0

    def submit(team: str, way: np.ndarray | None, *, noise: float = 0.05) -> UUID:
        nonlocal number
        number += 1
        if team not in callers:
            callers[team] = api.caller(team)
        submitted = callers[team].submit(_code(number)).json()
        with api.database.write() as session:
            held = claim(session, OFFER, 60)
            assert held is not None
            moved = _measured(api, bundle, way, noise=noise, seed=number)
            record(session, held, moved)
            finish(session, held)
        scorer = Scorer(settings)
        assert scorer.serve() == 1
        scorer.database.dispose()
        return UUID(submitted["id"])

    return submit


def _code(number: int) -> bytes:
    """Code that is like no other."""
    lines = [f"    x{number}_{line} = {number} {'+-*'[(number + line) % 3]} {line}" for line in range(number)]
    return numbered(number) + "\n".join(["def own():", *lines, "    return 1", ""]).encode()


def _measured(api: Api, bundle: Bundle, way: np.ndarray | None, *, noise: float, seed: int) -> list[MeasuredSeed]:
    random, oracle = np.random.default_rng(seed), bundle.oracle()
    original = bundle.measurements_of("original")
    assert original is not None
    found = []
    for run in range(RUNS):
        arrays = {name: np.ascontiguousarray(getattr(oracle, name)[run]) for name in Measurements.__slots__}
        moved = np.zeros(16) if way is None else way
        sketch = original.weight_sketch[0] + moved + random.normal(scale=noise, size=16)
        arrays["weight_sketch"] = sketch.astype(np.float32)
        arrays["checkpoint_sha256"] = random.integers(0, 256, 32, np.uint8)
        digest = arrays["checkpoint_sha256"].tobytes().hex()
        found.append(MeasuredSeed(run, api.state.blobs.put(save(arrays)), digest, 0.5, 10**6))
    return found


def way(seed: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).normal(size=16))


def test_a_rewritten_method_is_listed_by_what_it_does(api: Api, organiser: Caller, enter: Enter) -> None:
    first = enter("ada", way(1))
    enter("grace", way(2))
    copied = enter("eve", way(1) * 1.05)

    (listed,) = organiser.get(COPIES).json()["items"]

    assert (listed["kind"], listed["same_code"]) == ("weights", False)
    assert (listed["later"]["submission_id"], listed["later"]["team"]) == (str(copied), "eve")
    assert (listed["earlier"]["submission_id"], listed["earlier"]["team"]) == (str(first), "ada")
    assert 0.9 < listed["likeness"] <= 1
    assert api.caller("tim").get(COPIES).status_code == 403


def test_entries_that_hardly_move_or_scatter_are_not_alike(organiser: Caller, enter: Enter) -> None:
    enter("ada", None, noise=0.0)
    enter("eve", None, noise=0.0)
    enter("grace", None, noise=0.5)
    enter("alan", None, noise=0.5)
    enter("mary", way(1) * 1e-3, noise=1e-6)
    enter("tim", way(2) * 1e-3, noise=1e-6)
    assert organiser.get(COPIES).json()["items"] == []


def test_a_teams_own_entries_and_references_are_not_listed(api: Api, organiser: Caller, enter: Enter) -> None:
    enter("ada", way(1))
    enter("ada", way(1))
    assert organiser.get(COPIES).json()["items"] == []
    with api.database.write() as session:
        one = session.scalars(select(Submission).order_by(Submission.created_at).limit(1)).one()
        one.reference = Reference.IDENTITY
        before = session.scalar(select(func.count()).select_from(CodeBand))
        evaluation = session.get_one(Evaluation, one.evaluation_id)
        kept = evaluation.movement
        session.execute(update(Evaluation).values(movement=None))
        copies.note_alike(session, evaluation, Movement(np.ones((1, 16)), 0.0))
        session.flush()
        assert session.scalar(select(Evaluation.movement).where(Evaluation.id == evaluation.id)) not in (None, kept)
        assert session.scalar(select(func.count()).select_from(CodeBand)) == before


def test_the_earlier_submission_stays_the_earlier_one_if_it_is_scored_later(
    api: Api, organiser: Caller, enter: Enter
) -> None:
    first = enter("ada", way(1))
    with api.database.write() as session:
        row = session.get_one(Submission, first)
        row.created_at += timedelta(hours=1)
    second = enter("eve", way(1))
    (listed,) = organiser.get(COPIES).json()["items"]
    assert (listed["earlier"]["submission_id"], listed["later"]["submission_id"]) == (str(second), str(first))


def test_at_most_three_are_noted_and_few_are_looked_at(api: Api, organiser: Caller, enter: Enter) -> None:
    for team in ("a1", "a2", "a3", "a4", "a5"):
        enter(team, way(1))
    with api.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Copy)) == 0 + 1 + 2 + 3 + 3
        most = session.scalar(select(func.count()).select_from(CodeBand).where(CodeBand.number != 0))
    assert most is not None
    assert most <= 5 * (copies.BANDS + 12)

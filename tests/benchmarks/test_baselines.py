"""The baselines, as anyone would submit them: each file alone, through the sandbox of one's own code."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.core.bundle.directory import Bundle
from services.core.settings import SandboxKind, Settings
from services.core.submission import file as submission_file
from services.worker.local import LocalWorker, local_worker
from services.worker.supervisor import RunLimits
from tests.bundles import make_tiny_bundle

FILES = sorted(path for path in (Path(__file__).parents[2] / "baselines").glob("*.py") if path.name != "__init__.py")
SEED_KEY = b"k" * 32
ONE_BATCH = {  # sets here: their order is rounding alone
    "finetune",
    "gradient_ascent",
    "l1_sparse",
    "neggrad_plus",
    "scrub",
    "winner_1_contrastive",
    "winner_5_transposed",
}
SHORTER = {
    "fisher_forgetting": {"EXAMPLES": 3},
    "fisher_noise": {"EXAMPLES": 3},
    "l1_sparse": {"EPOCHS": 2},
    "langevin_noisy": {"STEPS": 2},
    "potion": {"TRIES": 2},
    "retrain": {"RECIPE": {"epochs": 2}},
    "rum": {"FINETUNE_EPOCHS": 1, "SALUN_EPOCHS": 1},
    "salun": {"EPOCHS": 2},
    "winner_7_layerwise": {"RATES": (2e-4,) * 5},
}
ALL_IN_TURN = """
import copy, importlib, pathlib, torch

assert torch.__version__.startswith("1.13")


def unlearning(net, *loaders):
    names = sorted(path.stem for path in pathlib.Path(__file__).with_name("entries").glob("*.py"))
    assert len(names) > 20
    for name in names:
        entry, copied = importlib.import_module("entries." + name), copy.deepcopy(net)
        for constant, value in SHORTER.get(name, {}).items():
            usual = getattr(entry, constant)
            setattr(entry, constant, {**usual, **value} if isinstance(usual, dict) else value)
        entry.unlearning(copied, *loaders)
        if not all(torch.isfinite(value).all() for value in copied.state_dict().values()):
            raise ValueError(name + " leaves weights that are no numbers")
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("var"), sandbox=SandboxKind.PROCESS, worker_slots=1)
    with local_worker(settings) as opened:
        yield opened


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_baseline_runs_and_gives_models(path: Path, bundle: Bundle, worker: LocalWorker) -> None:
    data = path.read_bytes()
    submission_file.check(path.name, data)
    limits = RunLimits(4, 60.0, 2**30, data_hidden=False)
    run = worker.run(bundle, filename=path.name, data=data, limits=limits, seed_key=SEED_KEY)
    distinct, sketches = len(np.unique(run.measurements.checkpoint_sha256, axis=0)), run.measurements.weight_sketch
    if path.stem in {"identity", "ssd", "lfssd", "assd", "potion"}:  # deterministic
        assert distinct == 1
    elif path.stem in {"bad_teacher", "rum", "unsir"}:  # here steps of Adam that follow signs alone, or one wrong label
        assert distinct > 1
    elif path.stem in ONE_BATCH:
        np.testing.assert_allclose(sketches, np.broadcast_to(sketches[0], sketches.shape), rtol=1e-4, atol=1e-4)
    else:
        assert distinct == 4


def test_baselines_run_on_resnet18_with_an_old_torch(faces: Bundle, old_image: str, tmp_path: Path) -> None:
    """One sandbox for all: its start would cost more than the methods."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("submission.py", f"SHORTER = {SHORTER!r}\n{ALL_IN_TURN}")
        for path in FILES:
            file.writestr(f"entries/{path.name}", path.read_bytes())
    settings = Settings(data_dir=tmp_path / "var", sandbox=SandboxKind.DOCKER, sandbox_image=old_image, worker_slots=1)
    limits = RunLimits(1, 300.0, 2**31, data_hidden=False)
    with local_worker(settings) as worker:
        run = worker.run(faces, filename="all.zip", data=archive.getvalue(), limits=limits, seed_key=SEED_KEY)
    assert len(run.measurements.checkpoint_sha256) == 1

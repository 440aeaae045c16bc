"""Training on all cores that survives being killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from services.benchmarks.architectures import mlp
from services.benchmarks.build import build_benchmark
from services.benchmarks.definitions import DEFINITIONS
from services.benchmarks.farm import Job, train_from_scratch
from services.benchmarks.recipes import Recipe
from services.benchmarks.resuming import BuildRunning
from services.core.bundle import Bundle
from services.scorer.scoring import forgetting_quality_of

SECRET = b"s" * 32
SEEDS = 128
BUILD = """
import sys
from pathlib import Path
from services.benchmarks.build import build_benchmark
from services.scorer.scoring import forgetting_quality_of

if __name__ == "__main__":
    build_benchmark(
        "digits", Path(sys.argv[1]), seeds=%d, secret=%r, forgetting_quality=forgetting_quality_of, min_placebo_ratio=0
    )
"""


def small_job(**changes: object) -> Job:
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(40, 64)).astype(np.float32), rng.integers(0, 10, 40)
    recipe = Recipe(**({"epochs": 2, "batch_size": 16, "learning_rate": 0.1} | changes))  # type: ignore[arg-type]
    return Job(mlp.build, images, labels, recipe)


def files_of(store: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in store.iterdir()}


def test_finished_chunks_are_never_trained_again(tmp_path: Path) -> None:
    seen: list[int] = []
    first = train_from_scratch(small_job(), range(100), store=tmp_path, progress=seen.append)
    files = files_of(tmp_path)
    again = train_from_scratch(small_job(), range(100), store=tmp_path)

    assert (seen[0], seen[-1], len(files)) == (0, 100, 2)
    assert files_of(tmp_path) == files
    for name, value in first.items():
        np.testing.assert_array_equal(value.numpy(), again[name].numpy())


def test_a_damaged_chunk_is_trained_anew_and_only_that(tmp_path: Path) -> None:
    first = train_from_scratch(small_job(), range(100), store=tmp_path)
    damaged, intact = sorted(tmp_path.iterdir())
    before = files_of(tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:100])

    again = train_from_scratch(small_job(), range(100), store=tmp_path)

    assert files_of(tmp_path)[intact.name] == before[intact.name]
    for name, value in first.items():
        np.testing.assert_array_equal(value.numpy(), again[name].numpy())


def test_models_of_another_recipe_data_or_seeds_are_not_taken(tmp_path: Path) -> None:
    job = small_job()
    other = small_job(learning_rate=0.2)
    names = {job.name([1]), job.name([2]), other.name([1])}
    names.add(Job(job.build, job.images + 1, job.labels, job.recipe).name([1]))
    names.add(Job(job.build, job.images, 9 - job.labels, job.recipe).name([1]))

    assert len(names) == 5
    assert job.name([1]) == small_job().name([1])


def start_build(destination: Path) -> subprocess.Popen[bytes]:
    script = destination.parent / "build.py"
    script.write_text(BUILD % (SEEDS, SECRET))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, str(script), str(destination)],
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for_models(store: Path, files: int, process: subprocess.Popen[bytes]) -> set[str]:
    for _ in range(2400):
        found = {path.name for path in store.glob("*.safetensors")} if store.is_dir() else set()
        if len(found) >= files:
            return found
        assert process.poll() is None
        time.sleep(0.05)
    raise AssertionError("no model was finished within two minutes")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build(tmp_path_factory.mktemp("whole") / "digits")


def build(destination: Path) -> Bundle:
    return build_benchmark(
        "digits",
        destination,
        seeds=SEEDS,
        secret=SECRET,
        forgetting_quality=forgetting_quality_of,
        min_placebo_ratio=0.0,
    )


def test_killed_build_goes_on_where_it_was(tmp_path: Path, uninterrupted: Bundle) -> None:
    """kill -9 of the whole build; a second one keeps what was finished and ends with the same bundle."""
    destination, store = tmp_path / "digits", tmp_path / "digits.building/models"
    process = start_build(destination)
    finished = wait_for_models(store, 2, process)  # the original model, and a chunk of the oracle
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {name: (store / name).stat().st_mtime_ns for name in finished}
    assert (store.parent / "secret").stat().st_mode & 0o077 == 0

    second = start_build(destination)
    wait_for_models(store, len(finished) + 1, second)
    assert {name: (store / name).stat().st_mtime_ns for name in finished} == before
    with pytest.raises(BuildRunning, match="Another build of digits"):
        build(destination)
    second.communicate(timeout=200)
    assert second.returncode == 0

    assert Bundle(destination).manifest.digest == uninterrupted.manifest.digest
    assert [path.name for path in tmp_path.iterdir() if path.name != "build.py"] == ["digits"]


def test_killed_training_process_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    destination, store = tmp_path / "digits", tmp_path / "digits.building/models"
    process = start_build(destination)
    wait_for_models(store, 1, process)
    victims: list[psutil.Process] = []
    for _ in range(1200):
        children = psutil.Process(process.pid).children(recursive=True)
        victims = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        if victims:
            break
        time.sleep(0.05)
    victims[-1].kill()

    _, errors = process.communicate(timeout=200)

    assert process.returncode == 1
    assert b"Run the same command again" in errors
    assert not destination.exists()
    assert list(store.glob("*.safetensors"))


def test_definition_builds_are_importable_by_training_processes() -> None:
    for definition in DEFINITIONS.values():
        assert getattr(sys.modules[definition.build.__module__], definition.build.__name__) is definition.build

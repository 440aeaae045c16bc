"""Training on all cores that survives being killed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_models

from services.benchmarks.architecture import Architecture
from services.benchmarks.build import build_benchmark
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.examples import Examples, Splits
from services.benchmarks.farm import Farm, Job, models_beside
from services.benchmarks.order import Order
from services.benchmarks.recipes import Recipe
from services.benchmarks.resuming import BuildRunning
from services.benchmarks.training import initialise, repeat, train
from services.core.bundle import readings
from services.core.bundle.directory import Bundle
from services.scorer.scoring import forgetting_quality_of
from tests.definitions import placebo_of, recipe_of

SECRET = b"s" * 32
SEEDS = 128
BUILD = """
import sys
from pathlib import Path
from tests.benchmarks.test_farm import build

if __name__ == "__main__":
    build(Path(sys.argv[1]))
"""
MLP = Architecture("mlp", (64,), 10)
RECIPE = Recipe(epochs=2, batch_size=16, learning_rate=0.1)


def build(destination: Path) -> Bundle:
    """Build digits, short but for what is waited for: each chunk of an oracle takes about a second."""
    digits = DEFINITIONS["digits"]
    placebo = replace(placebo_of(digits), starts=1, models=16)
    definition = replace(digits, recipe=replace(recipe_of(digits), epochs=8), placebo=placebo)
    order = Order(
        definition=definition,
        dataset=digits.read(None, cache=destination),
        seeds=SEEDS,
        quality=forgetting_quality_of,
        secret=SECRET,
        min_placebo_ratio=0.0,
    )
    return build_benchmark(order, destination)


def small_splits(shift: float = 0.0) -> Splits:
    rng = np.random.default_rng(0)

    def part(count: int) -> Examples:
        return Examples(rng.normal(shift, size=(count, 64)).astype(np.float32), rng.integers(0, 10, count))

    return Splits(part(40), part(6), part(8), part(12))


def run(store: Path, job: Job | None = None, seeds: Any = range(100), **options: Any) -> list[Path]:
    with Farm(MLP, small_splits(), store) as farm:
        return farm.run(job or Job(RECIPE), list(seeds), **options)


def files_of(store: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in store.iterdir()}


def arrays_of(files: list[Path]) -> dict[str, np.ndarray]:
    parts = [load_file(file) for file in files]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])


def test_finished_chunks_are_never_trained_again(tmp_path: Path) -> None:
    seen: list[int] = []
    first = run(tmp_path, progress=seen.append)
    files, arrays = files_of(tmp_path), arrays_of(first)
    again: list[int] = []
    assert run(tmp_path, progress=again.append) == first

    assert (seen[0], seen[-1], len(files)) == (0, 100, 2)
    assert again == [100]
    assert files_of(tmp_path) == files
    assert {len(value) for value in arrays.values()} == {100}


def test_a_damaged_chunk_is_trained_anew_and_only_that(tmp_path: Path) -> None:
    first = run(tmp_path)
    arrays, before = arrays_of(first), files_of(tmp_path)
    damaged, intact = first
    damaged.write_bytes(damaged.read_bytes()[:100])

    assert_same(arrays_of(run(tmp_path)), arrays)

    assert files_of(tmp_path)[intact.name] == before[intact.name]


def test_models_of_another_recipe_data_or_seeds_are_not_taken(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.write_bytes(b"a model")
    with Farm(MLP, small_splits(), tmp_path) as farm, Farm(MLP, small_splits(0.1), tmp_path) as other_data:
        job, seeds = Job(RECIPE), [[1]]
        others = (
            replace(job, recipe=replace(RECIPE, learning_rate=0.2)),
            replace(job, trained_on="everything"),
            replace(job, keep="forget_logits"),
            replace(job, keep_models=True),
            replace(job, deviation=0.1),
            replace(job, start=start),
        )
        files = [farm.files_of(job, seeds), farm.files_of(job, [[2]]), other_data.files_of(job, seeds)]
        files += [farm.files_of(other, seeds) for other in others]
        start.write_bytes(b"another model")
        files.append(farm.files_of(others[-1], seeds))
        other_shape = Farm(Architecture("mlp", (64,), 11), small_splits(), tmp_path)
        files.append(other_shape.files_of(job, seeds))

        assert len({file for (file,) in files}) == len(files)
        assert farm.files_of(Job(RECIPE), [[1]]) == files[0]


def test_labels_and_the_forget_set_are_data_too(tmp_path: Path) -> None:
    splits = small_splits()
    relabelled = replace(splits, retain=replace(splits.retain, labels=9 - splits.retain.labels))
    forgets_less = replace(splits, forget=Examples(splits.forget.images[:5], splits.forget.labels[:5]))
    names = {Farm(MLP, one, tmp_path).files_of(Job(RECIPE), [[1]])[0] for one in (splits, relabelled, forgets_less)}
    assert len(names) == 3


def test_kept_models_are_those_that_were_measured(tmp_path: Path) -> None:
    """Trained here again; the measurements name each by its content."""
    (file,) = run(tmp_path, Job(RECIPE, keep_models=True), [5, 6])
    models, arrays = load_models(models_beside(file)), load_file(file)
    expected = train(MLP, initialise(MLP, [5, 6]), examples=small_splits().retain, seeds=[5, 6], recipe=RECIPE)
    for name, value in expected.items():
        torch.testing.assert_close(models[name], value, rtol=1e-3, atol=1e-4)
    for position in range(2):
        state = {name: value[position].numpy() for name, value in models.items()}
        assert arrays["checkpoint_sha256"][position].tobytes().hex() == readings.checkpoint_sha256(state)
    models_beside(file).unlink()
    run(tmp_path, Job(RECIPE, keep_models=True), [5, 6])
    assert models_beside(file).is_file()


def test_everything_is_retain_and_forget_set(tmp_path: Path) -> None:
    job = Job(RECIPE, trained_on="everything", keep_models=True)
    models = load_models(models_beside(run(tmp_path, job, [5])[0]))
    splits = small_splits()
    everything = Examples(
        np.concatenate([splits.retain.images, splits.forget.images]),
        np.concatenate([splits.retain.labels, splits.forget.labels]),
    )
    expected = train(MLP, initialise(MLP, [5]), examples=everything, seeds=[5], recipe=RECIPE)
    for name, value in expected.items():
        torch.testing.assert_close(models[name], value, rtol=1e-3, atol=1e-4)


def test_a_start_without_noise_or_learning_stays_what_it_is(tmp_path: Path) -> None:
    """All models equal the first of the file; with noise all differ."""
    start = models_beside(run(tmp_path, Job(RECIPE, keep_models=True), [5])[0])
    model = {name: value[0] for name, value in load_models(start).items()}
    still = replace(RECIPE, learning_rate=0.0)
    same, noisy = (
        load_models(models_beside(run(tmp_path, Job(still, start=start, deviation=d, keep_models=True), [1, 2])[0]))
        for d in (0.0, 0.1)
    )
    for name, value in repeat(model, 2).items():
        assert torch.equal(same[name], value)
        assert not torch.equal(noisy[name][0], noisy[name][1])
        assert not torch.equal(noisy[name][0], value[0])


def test_forget_logits_alone_are_kept_where_no_more_is_asked_for(tmp_path: Path) -> None:
    (logits,) = run(tmp_path, Job(RECIPE, keep="forget_logits"), [5, 6])
    (whole,) = run(tmp_path, Job(RECIPE), [5, 6])
    assert load_file(logits).keys() == {"forget_logits"}
    np.testing.assert_array_equal(load_file(logits)["forget_logits"], load_file(whole)["forget_logits"])


# Builds that are killed


def start_build(destination: Path) -> subprocess.Popen[bytes]:
    script = destination.parent / "build.py"
    script.write_text(BUILD)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, str(script), str(destination)],
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for_models(store: Path, files: int, process: subprocess.Popen[bytes]) -> set[str]:
    for _ in range(6000):
        found = {path.name for path in store.glob("*.safetensors")} if store.is_dir() else set()
        if len(found) >= files:
            return found
        assert process.poll() is None
        time.sleep(0.02)
    raise AssertionError("no model was finished within two minutes")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build(tmp_path_factory.mktemp("whole") / "digits")


def test_killed_build_goes_on_where_it_was(tmp_path: Path, uninterrupted: Bundle) -> None:
    """kill -9 of the whole build; a second one keeps what was finished and ends with the same bundle."""
    destination, store = tmp_path / "digits", tmp_path / "digits.building/models"
    process = start_build(destination)
    finished = wait_for_models(store, 1, process)  # a chunk of the oracle
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {name: (store / name).stat().st_mtime_ns for name in finished}
    assert (store.parent / "secret").stat().st_mode & 0o077 == 0

    second = start_build(destination)
    wait_for_models(store, len(finished) + 1, second)
    assert {name: (store / name).stat().st_mtime_ns for name in finished} == before
    os.killpg(second.pid, signal.SIGSTOP)  # lest it ends before we look
    with pytest.raises(BuildRunning, match="Another build of digits"):
        build(destination)
    os.killpg(second.pid, signal.SIGCONT)
    second.communicate(timeout=200)
    assert second.returncode == 0

    assert Bundle(destination).manifest.digest == uninterrupted.manifest.digest
    assert [path.name for path in tmp_path.iterdir() if path.name != "build.py"] == ["digits"]


def test_killed_training_process_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """Killed while processes may still be starting, as happens for want of memory."""
    destination, store = tmp_path / "digits", tmp_path / "digits.building/models"
    process = start_build(destination)
    wait_for_models(store, 1, process)
    children = psutil.Process(process.pid).children(recursive=True)
    [child for child in children if "spawn_main" in " ".join(child.cmdline())][-1].kill()

    try:
        _, errors = process.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    assert process.returncode == 1
    assert b"Run the same command again" in errors
    assert not destination.exists()
    assert list(store.glob("*.safetensors"))


def test_training_processes_end_with_the_build_that_started_them(tmp_path: Path) -> None:
    """Killed alone, as by its operator: nobody waits for work that never comes, holding memory."""
    process = start_build(tmp_path / "digits")
    wait_for_models(tmp_path / "digits.building/models", 1, process)
    children = psutil.Process(process.pid).children(recursive=True)
    workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    try:
        process.kill()
        process.communicate()
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert workers
        assert not [child for child in alive if child.is_running()]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

"""Parts `digits` and `resnet18`: benchmarks built, and the speed at which their models are trained."""

import time
from dataclasses import replace

import numpy as np
import torch

from benches.gpu_check.racing import PlainLoop, Race, accuracies
from benches.gpu_check.setting import Setting
from services.benchmarks.architecture import Architecture
from services.benchmarks.build import build_benchmark
from services.benchmarks.catalogue import find_definition
from services.benchmarks.cutting import cut
from services.benchmarks.definitions import Definition
from services.benchmarks.examples import Examples
from services.benchmarks.order import Order
from services.benchmarks.recipes import RECIPE_2023, Recipe
from services.benchmarks.training import Way, initialise, most_together, train
from services.core.device import Device
from services.scorer.scoring import forgetting_quality_of

__all__ = ["build_digits", "build_resnet18"]

ORACLE_2023, IMAGES_2023 = 512, 24_000
AIM_MIN = 30.0  # for an oracle of 2023 on one H200
SIGMAS = 5.0


def build_digits(setting: Setting) -> None:
    """Build `digits`; train its net in lockstep and by the plain loop."""
    digits = find_definition("digits")
    _build(setting, digits, seeds=32 if setting.small else digits.seeds)
    _race_to_the_end(setting, digits, models=64 if setting.small else 512, plain=2)


def build_resnet18(setting: Setting) -> None:
    """Time ResNet-18 in the shape of 2023, compare its steps with the plain loop's, and build a benchmark of it."""
    _race_2023(setting)
    definition = find_definition("faces-resnet18-tiny" if setting.small else "faces-resnet18")
    if setting.small:
        assert isinstance(definition.recipe, Recipe) and definition.placebo is not None
        definition = replace(
            definition,
            recipe=replace(definition.recipe, epochs=1),
            placebo=replace(definition.placebo, models=2, starts=1),
        )
    _build(setting, definition, seeds=2 if setting.small else 64)


def _build(setting: Setting, definition: Definition, *, seeds: int) -> None:
    place = setting.bundle(definition.architecture)
    place.parent.mkdir(parents=True, exist_ok=True)
    dataset = definition.read(None, cache=setting.place / "datasets")
    order = Order(definition=definition, dataset=dataset, seeds=seeds, quality=forgetting_quality_of, secret=bytes(32))
    started, done = time.monotonic(), {}

    def progress(stage: str, finished: int, total: int) -> None:
        done[stage] = (finished, total)

    bundle = build_benchmark(order, place, progress=progress)
    spent = time.monotonic() - started
    models = sum(finished for stage, (finished, _) in done.items() if "packing" not in stage)
    setting.table.add(
        f"{definition.name} built",
        f"{models} models in {spent:.0f} s, {models / spent:.1f} a second",
        f"{seeds} in each oracle; drawing, measuring and fitness included",
        passed=bundle.manifest.device == setting.torch_device.type,
    )
    fitness = bundle.manifest.fitness
    setting.table.add(
        f"{definition.name} fit",
        f"placebo ratio {fitness.placebo_ratio:.1f}, retrained test accuracy {fitness.oracle_test_accuracy:.1%}",
        "; ".join(problem.split(".")[0] for problem in fitness.problems) or "no problem",
    )


def _race_to_the_end(setting: Setting, definition: Definition, *, models: int, plain: int) -> None:
    """Train whole models both ways; they must be as accurate."""
    whole = cut(definition, definition.read(None, cache=setting.place / "datasets"))
    splits, recipe, device = whole.splits, definition.recipe, setting.torch_device
    assert isinstance(recipe, Recipe)
    build = Architecture(definition.architecture, tuple(splits.retain.images.shape[1:]), whole.classes)
    torch.set_num_threads(1)

    def lockstep(count: int, recipe: Recipe) -> tuple[float, np.ndarray]:
        start = {name: value.to(device) for name, value in initialise(build, range(count)).items()}
        started = time.perf_counter()
        trained = train(build, start, examples=splits.retain, seeds=range(count), recipe=recipe)
        found = accuracies(build, trained, splits.test)  # which waits for the device
        return count / (time.perf_counter() - started), found

    lockstep(2, replace(recipe, epochs=1))  # the first step imports and compiles
    ours, found = lockstep(models, recipe)
    started = time.perf_counter()
    loops = [PlainLoop(build, splits.retain, recipe, seed, device).run() for seed in range(plain)]
    expected = np.concatenate([accuracies(build, model, splits.test) for model in loops])
    theirs = plain / (time.perf_counter() - started)
    setting.table.add(
        f"{definition.name}, models a second",
        f"{ours:,.1f} in lockstep",
        f"{theirs:,.2f} by the plain loop: {ours / theirs:,.0f} x",
        passed=ours > theirs,
    )
    allowed = SIGMAS * float(found.std()) * np.sqrt(1 / len(found) + 1 / len(expected))
    setting.table.add(
        f"{definition.name}, accuracy",
        f"{found.mean():.2%}",
        f"{expected.mean():.2%} by the plain loop",
        passed=bool(abs(found.mean() - expected.mean()) <= allowed),
    )


def _race_2023(setting: Setting) -> None:
    """Time steps of 2023's recipe on noise of its shape, from which the time of an oracle follows."""
    device, on_gpu = setting.torch_device, setting.device is Device.GPU
    torch.set_num_threads(1)
    noise = np.random.default_rng(0)
    count = 256 if setting.small else IMAGES_2023
    examples = Examples(noise.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), noise.integers(0, 10, count))
    build = Architecture("resnet18", (3, 32, 32), 10)
    race = Race(build, examples, RECIPE_2023, device)
    for way in (Way.GROUPED, Way.UNFOLDED):
        apart = race.one_step(way)
        setting.table.add(f"one step, {way}", f"off by {apart:.1e}", "the plain loop's step", passed=apart < 1e-2)
    plain = race.plain(100 if on_gpu else 2)
    fastest = 0.0
    for way in (Way.GROUPED, Way.UNFOLDED):
        rate, together, recorded = race.lockstep(way, 20 if on_gpu else 2, most_together(build) if on_gpu else 2)
        fastest = max(fastest, rate)
        setting.table.add(
            f"ResNet-18, {RECIPE_2023.epochs} epochs of {count:,}, {way}",
            f"{60 * rate:.3g} models a minute",
            f"{together} together; {60 * plain:.3g} by the plain loop: {rate / plain:.1f} x",
        )
        setting.table.add(
            f"its steps as a CUDA graph, {way}",
            "replayed" if recorded else "not recorded",
            "" if on_gpu else "a CPU has none",
            passed=recorded if on_gpu else None,
        )
    minutes = ORACLE_2023 / fastest / 60
    setting.table.add(
        f"so {ORACLE_2023} of them take",
        f"{minutes:,.0f} min",
        f"{ORACLE_2023 / plain / 60:,.0f} min by the plain loop; the aim on an H200, with {IMAGES_2023:,} images, is "
        f"{AIM_MIN:.0f} min",
        passed=fastest > plain if on_gpu else None,
    )

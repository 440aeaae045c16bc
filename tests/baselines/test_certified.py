"""Certified entries: their constants, what the accountants say of their claims, and their update by another's code."""

import importlib
import io
import math
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from services.benchmarks.architecture import Architecture
from services.benchmarks.build import build_benchmark
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.definitions import Definition
from services.benchmarks.examples import Examples
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.scenarios import Random
from services.benchmarks.training.noisy import descend
from services.core.bundle.manifest import Manifest
from services.core.settings import SandboxKind, Settings
from services.core.submission.certificate import CertifiedMethod, Claim
from services.core.submission.file import check
from services.scorer.claims import hold_against_accountant
from services.worker.local import local_worker
from services.worker.supervisor import RunLimits
from tests.baselines.small import Splits, everything, flat, run, splits
from tests.bundles import make_tiny_bundle
from tests.certified import certified_manifest, certified_recipe_of, learning_of, short_order

FOLDER = Path(__file__).parents[2] / "baselines" / "certified"
FILES = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.name != "__init__.py"}
COUNTED = {"langevin": "steps", "d2d": "steps", "stochastic_langevin": "epochs"}
ALL_IN_TURN = """
import copy, importlib, pathlib, torch

assert torch.__version__.startswith("1.13")


def unlearning(net, *loaders):
    names = sorted(path.stem for path in pathlib.Path(__file__).with_name("entries").glob("*.py"))
    assert names == ["d2d", "langevin", "retrain", "stochastic_langevin"]
    for name in names:
        copied = copy.deepcopy(net)
        importlib.import_module("entries." + name).unlearning(copied, *loaders)
        assert torch.isfinite(copied.head.weight).all() and not torch.equal(copied.head.weight, net.head.weight), name
"""


def method(name: str) -> Any:
    return importlib.import_module(f"baselines.certified.{name}")


def definition_of(name: str) -> Definition:
    """Give the benchmark that an entry names for its constants."""
    found = re.search(r"Defaults: the constants of the benchmark `([a-z0-9-]+)`", str(method(name).__doc__))
    assert found
    return DEFINITIONS[found[1]]


def claim_in(name: str) -> Claim:
    found = check(f"{name}.py", FILES[name].read_bytes()).claim
    assert found is not None
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", oracle_seeds=8).manifest


# What they say


@pytest.mark.parametrize("name", FILES)
def test_constants_are_those_of_the_benchmark(name: str) -> None:
    module, recipe = method(name), certified_recipe_of(definition_of(name))
    constants = {key for key in vars(module) if key.isupper() and key != "CERTIFICATE"}
    assert constants >= {"STRONG_CONVEXITY", "SMOOTHNESS", "LIPSCHITZ"}
    for constant in constants:
        assert getattr(module, constant) == getattr(recipe, constant.lower()), constant


@pytest.mark.parametrize("name", FILES)
def test_the_claim_is_what_the_accountant_gives_and_no_less_work_does(name: str, plain: Manifest) -> None:
    claim, manifest = claim_in(name), certified_manifest(plain, learning_of(definition_of(name)))
    counts = manifest.counts
    assert claim.delta == 1 / (counts.retain + counts.forget)
    found = hold_against_accountant(claim, manifest)
    assert found.notes == ()
    assert found.accountant_epsilon is not None
    assert found.accountant_epsilon <= claim.epsilon
    if name == "retrain":
        assert (claim.method, claim.epsilon) == (CertifiedMethod.RETRAIN, 0.0)
        return
    assert claim.method == CertifiedMethod(name)
    less = claim.model_copy(update={COUNTED[name]: getattr(claim, COUNTED[name]) - 1})
    epsilon = hold_against_accountant(less, manifest).accountant_epsilon
    assert epsilon is not None
    assert epsilon > claim.epsilon


def test_the_manifest_that_claims_are_held_against_has_the_built_ones_size() -> None:
    """256 of 357 images, of which 16 are forgotten."""
    for name in FILES:
        definition = definition_of(name)
        assert definition.split != "published"
        assert round(definition.split.train * 357) == 256
        assert definition.scenario == Random(16, wrong=16)


# What they do


def problem(classes: int) -> tuple[nn.Module, Splits]:
    """Draw 72 images, 48 of them to keep, and make a model whose weights are all 0, where noiseless descent starts."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((72, 2, 3), generator=generator)
    labels = torch.randint(classes, (72,), generator=generator)
    net = Architecture("unit_logistic", (2, 3), classes)()
    nn.init.zeros_(net.head.weight)  # type: ignore[arg-type,union-attr]
    return net, splits(images, labels, torch.arange(72) >= 48)


def of_descent(net: nn.Module, data: Splits, recipe: NoisyDescent) -> Tensor:
    """Descend on the retain set by the code that benchmarks are built with."""
    images, labels = everything(data.retain)
    examples = Examples(images.numpy(), labels.numpy())
    start = {name: torch.zeros_like(value)[None] for name, value in net.state_dict().items()}
    return descend(start, examples=examples, seeds=[1], recipe=recipe)["head.weight"].flatten()


def without_noise(name: str, monkeypatch: pytest.MonkeyPatch, *, clip: float, radius: float) -> NoisyDescent:
    """Silence an entry for 3 passes over 1 batch or 3; give the recipe that descends alike.

    With noise the step is 1/L; without any, a recipe takes 2/(L' + m), which is the same for L' = 2 L - m.
    """
    module = method(name)
    batches = 3 if name == "stochastic_langevin" else 1
    values = {"SIGMA": 0.0, "PUBLISHED_SIGMA": 0.0, "LIPSCHITZ": clip, "RADIUS": radius, "STEPS": 3, "BATCHES": batches}
    for constant, value in values.items():
        if hasattr(module, constant):
            monkeypatch.setattr(module, constant, value)
    if name in COUNTED:
        monkeypatch.setitem(module.CERTIFICATE, COUNTED[name], 3)
    m, smoothness = module.STRONG_CONVEXITY, module.SMOOTHNESS
    return NoisyDescent(
        steps=3 * batches,
        strong_convexity=m,
        smoothness=smoothness if name == "d2d" else 2 * smoothness - m,
        lipschitz=clip,
        sigma=0.0,
        batches=batches,
        radius=radius,
    )


CONSTANTS = {"plain": (1.0, 100.0), "clip": (0.3, 100.0), "ball": (1.0, 0.2)}


@pytest.mark.parametrize("classes", [2, 4], ids=["one row", "a row for each class"])
@pytest.mark.parametrize(
    ("name", "clip", "radius"),
    [
        pytest.param(name, *values, id=f"{name} {case}")
        for name in FILES
        for case, values in CONSTANTS.items()
        if (name, case) != ("d2d", "ball")  # its equations know none
    ],
)
def test_without_noise_it_is_the_benchmarks_own_descent(
    name: str, classes: int, clip: float, radius: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = without_noise(name, monkeypatch, clip=clip, radius=radius)
    net, data = problem(classes)
    expected = of_descent(net, data, recipe)
    assert float(expected.norm()) > 0.1
    torch.testing.assert_close(flat(run(method(name), net, data)), expected, rtol=1e-4, atol=1e-6)


def test_d2ds_step_needs_no_ball() -> None:
    """Minima lie within M/m of 0, which is half the ball's radius, so that the benchmark's learning never meets it."""
    recipe = certified_recipe_of(definition_of("d2d"))
    assert recipe.lipschitz / recipe.strong_convexity <= recipe.radius / 2


@pytest.mark.parametrize("name", ["langevin", "stochastic_langevin", "retrain"])
def test_every_step_has_the_noise_of_the_benchmarks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On images of zeros a step is noise alone: sqrt(2 eta) sigma, over a start that retraining draws itself."""
    module = method(name)
    for constant, value in {"STEPS": 1, "BATCHES": 1}.items():
        if hasattr(module, constant):
            monkeypatch.setattr(module, constant, value)
    if name in COUNTED:
        monkeypatch.setitem(module.CERTIFICATE, COUNTED[name], 1)
    net = Architecture("unit_logistic", (20_000,), 2)()
    nn.init.zeros_(net.head.weight)  # type: ignore[arg-type,union-attr]
    data = splits(torch.zeros(4, 20_000), torch.tensor([0, 1, 0, 1]), torch.arange(4) > 2)
    eta, sigma, m = 1 / module.SMOOTHNESS, module.SIGMA, module.STRONG_CONVEXITY
    start = (1 - eta * m) ** 2 * sigma**2 / m if name == "retrain" else 0.0
    moved = flat(run(module, net, data))
    assert float(moved.std()) == pytest.approx(math.sqrt(start + 2 * eta * sigma**2), rel=0.03)


def test_d2d_publishes_with_its_noise() -> None:
    module = method("d2d")
    net = Architecture("unit_logistic", (20_000,), 2)()
    nn.init.zeros_(net.head.weight)  # type: ignore[arg-type,union-attr]
    data = splits(torch.zeros(4, 20_000), torch.tensor([0, 1, 0, 1]), torch.arange(4) > 2)
    moved = flat(run(module, net, data))
    assert float(moved.std()) == pytest.approx(module.PUBLISHED_SIGMA, rel=0.03)


def test_retraining_forgets_where_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the others do not."""
    for name in FILES:
        without_noise(name, monkeypatch, clip=1.0, radius=100.0)
        net, data = problem(2)
        first = flat(run(method(name), net, data))
        nn.init.ones_(net.head.weight)  # type: ignore[arg-type,union-attr]
        second = flat(run(method(name), net, data))
        assert torch.allclose(first, second, atol=1e-6) == (name == "retrain"), name


@pytest.mark.parametrize("name", FILES)
def test_runs_differ_and_forget_sets_are_not_looked_at(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_noise(name, monkeypatch, clip=1.0, radius=100.0)
    for constant in ("SIGMA", "PUBLISHED_SIGMA"):
        if hasattr(method(name), constant):
            monkeypatch.setattr(method(name), constant, 0.1)
    net, data = problem(2)
    first, second = (flat(run(method(name), net, data, seed=seed)) for seed in (1, 2))
    assert not torch.allclose(first, second)
    without = Splits(data.retain, None)  # type: ignore[arg-type]
    torch.testing.assert_close(flat(run(method(name), net, without, seed=1)), first)


def test_entries_run_with_an_old_torch(old_image: str, tmp_path: Path) -> None:
    """One sandbox for all, with few steps."""
    bundle = build_benchmark(short_order("certified-digits", seeds=2), tmp_path / "bundle")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("submission.py", ALL_IN_TURN)
        for name, path in FILES.items():
            text = re.sub(r'"(steps|epochs)": \d+', r'"\1": 3', path.read_text())
            file.writestr(f"entries/{name}.py", text.replace("100.0, 4000", "100.0, 3"))
    settings = Settings(data_dir=tmp_path / "var", sandbox=SandboxKind.DOCKER, sandbox_image=old_image, worker_slots=1)
    limits = RunLimits(1, 60.0, 2**30, data_hidden=False)
    with local_worker(settings) as worker:
        found = worker.run(bundle, filename="all.zip", data=archive.getvalue(), limits=limits)
    assert len(found.measurements) == 1


def test_a_recipe_with_noise_takes_the_entries_step() -> None:
    """What `without_noise` builds on."""
    recipe = certified_recipe_of(definition_of("langevin"))
    silent = replace(recipe, sigma=0.0, smoothness=2 * recipe.smoothness - recipe.strong_convexity)
    assert silent.step == pytest.approx(recipe.step)

"""Certified learning, held against scikit-learn, an explicit loop and formulas."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from services.benchmarks.architecture import Architecture
from services.benchmarks.examples import Examples
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.training import initialise, train
from services.benchmarks.training.noisy import BadNoisyDescent, clipped_gradient, descend, project, unit_features

PLAIN = NoisyDescent(steps=1, strong_convexity=0.05, smoothness=0.55, lipschitz=2.0, sigma=0.0)
NOISY = replace(PLAIN, steps=12, sigma=0.1)
FEW = 8  # roundings of a number that is computed in several operations


def problem(classes: int, *, count: int = 48, features: int = 6, seed: int = 0) -> Examples:
    """Draw examples whose labels a linear model half knows."""
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(count, features)).astype(np.float32)
    scores = images @ rng.normal(size=(features, classes)) + rng.normal(size=(count, classes))
    return Examples(images, scores.argmax(axis=1).astype(np.int64))


def zeros(models: int, rows: int, features: int) -> dict[str, torch.Tensor]:
    return {"head.weight": torch.zeros(models, rows, features)}


def learn(examples: Examples, recipe: NoisyDescent, *, seeds: list[int], classes: int) -> np.ndarray:
    """Give the weights [models, rows, d] that descent ends with."""
    start = zeros(len(seeds), 1 if classes == 2 else classes, examples.images[0].size)
    return descend(start, examples=examples, seeds=seeds, recipe=recipe)["head.weight"].numpy()


def loop(examples: Examples, recipe: NoisyDescent, *, classes: int, start: np.ndarray | None = None) -> np.ndarray:
    """Descend without noise from `start` [rows, d], one example and one step at a time, in double precision."""
    wide = examples.images.reshape(len(examples), -1).astype(np.float64)
    features = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    rows = 1 if classes == 2 else classes
    weights = np.zeros((rows, features.shape[1])) if start is None else start.astype(np.float64)
    for step in range(recipe.steps):
        batch = [index for index in range(len(features)) if index % recipe.batches == step % recipe.batches]
        total = np.zeros_like(weights)
        for index in batch:
            logits = weights @ features[index]
            logits = np.array([0.0, logits[0]]) if rows == 1 else logits
            error = np.exp(logits) / np.exp(logits).sum() - np.eye(classes)[examples.labels[index]]
            gradient = np.outer(error[1:] if rows == 1 else error, features[index])
            total += gradient * min(1.0, recipe.lipschitz / float(np.linalg.norm(gradient)))
        step_size = 2 / (recipe.smoothness + recipe.strong_convexity) if not recipe.sigma else 1 / recipe.smoothness
        weights = weights - step_size * (total / len(batch) + recipe.strong_convexity * weights)
        norm = float(np.linalg.norm(weights))
        weights = weights * min(1.0, recipe.radius / norm) if norm else weights
    return weights


def rounding(recipe: NoisyDescent, examples: Examples, weights: np.ndarray) -> float:
    """Bound how far float32 may move weights [rows, d] of this size, in whatever order it sums.

    To first order in the unit roundoff u. A logit sums d products: d u |w|. Of logits that far off, an error of
    probabilities is off by half as much, and by a few u of its own. A gradient sums b of them: b u. The penalty, the
    step and the projection round w a few times. A step carries what was wrong before on by at most 1 - eta m, so all
    steps together add up to no more than 1/(eta m) of one.
    """
    unit = np.finfo(np.float32).eps / 2
    features, size = examples.images[0].size, float(np.linalg.norm(weights))
    of_gradient = features * size / 2 + len(examples) / recipe.batches + FEW
    of_step = recipe.step * of_gradient + FEW * size
    return float(unit * of_step * min(recipe.steps, 1 / (recipe.step * recipe.strong_convexity)))


# Where it leads


@pytest.mark.parametrize("classes", [2, 4])
def test_without_noise_it_converges_to_scikit_learns_solution(classes: int) -> None:
    """Its penalty is 1/(2 C) |w|^2 on the sum of losses, ours n m/2 |w|^2."""
    examples = problem(classes)
    recipe = replace(PLAIN, steps=300)  # of which each leaves 5/6 of the distance
    theirs = LogisticRegression(
        fit_intercept=False, C=1 / (len(examples) * recipe.strong_convexity), tol=1e-10, max_iter=10_000
    ).fit(unit_features(torch.from_numpy(examples.images)).numpy().astype(np.float64), examples.labels)

    ours = learn(examples, recipe, seeds=[1], classes=classes)[0]

    np.testing.assert_allclose(ours, theirs.coef_, atol=2e-5)


def test_noise_alone_has_the_variance_of_its_recursion() -> None:
    """On features of 0 a weight is w <- (1 - eta m) w + sqrt(2 eta) sigma N(0, 1), an autoregression of order 1."""
    examples = Examples(np.zeros((4, 50), dtype=np.float32), np.array([0, 1, 0, 1]))
    recipe = replace(NOISY, steps=200, strong_convexity=0.2)
    weights = learn(examples, recipe, seeds=list(range(200)), classes=2)
    eta = 1 / recipe.smoothness
    variance = 2 * eta * recipe.sigma**2 / (1 - (1 - eta * recipe.strong_convexity) ** 2)

    assert variance > 1.15 * recipe.sigma**2 / recipe.strong_convexity  # where it starts from is told apart
    assert weights.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / weights.size))
    assert abs(weights.mean()) < 5 * math.sqrt(variance / weights.size)


def test_it_starts_from_what_noise_alone_would_reach() -> None:
    recipe = replace(NOISY, steps=0)
    start = learn(problem(2, features=200), recipe, seeds=list(range(50)), classes=2)
    expected = recipe.sigma**2 / recipe.strong_convexity
    assert start.var() == pytest.approx(expected, rel=5 * math.sqrt(2 / start.size))
    assert not learn(problem(2), replace(PLAIN, steps=0), seeds=[1], classes=2).any()


def test_the_step_is_larger_without_noise() -> None:
    assert replace(PLAIN, sigma=0.1).step == pytest.approx(1 / 0.55)
    assert PLAIN.step == pytest.approx(2 / 0.6)
    assert PLAIN.as_dict()["step"] == PLAIN.step


# One step after another


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("batches", [1, 3, 48])
def test_it_is_the_plain_loop_batches_in_turn(classes: int, batches: int) -> None:
    examples = problem(classes)
    recipe = replace(PLAIN, steps=96, batches=batches)
    found = learn(examples, recipe, seeds=[1, 2], classes=classes)
    expected = loop(examples, recipe, classes=classes)
    tolerance = rounding(recipe, examples, expected)
    assert tolerance < 1e-4  # the next test's differences are 1e-3 at least
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=2 * tolerance)


def test_the_order_of_batches_counts() -> None:
    """The loop above would not notice otherwise."""
    examples = problem(2)
    recipe = replace(PLAIN, steps=6, batches=3)
    whole = loop(examples, replace(recipe, batches=1), classes=2)
    turned = Examples(np.roll(examples.images, 1, axis=0), np.roll(examples.labels, 1))
    first = loop(examples, recipe, classes=2)
    assert abs(first - whole).max() > 1e-3
    assert abs(first - loop(turned, recipe, classes=2)).max() > 1e-3


@pytest.mark.parametrize("classes", [2, 4])
def test_gradients_are_clipped_one_by_one_and_the_penalty_is_not(classes: int) -> None:
    examples = problem(classes)
    recipe = replace(PLAIN, steps=20, lipschitz=0.3)
    found = learn(examples, recipe, seeds=[1], classes=classes)[0]
    expected = loop(examples, recipe, classes=classes)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(recipe, examples, expected))
    assert abs(found - learn(examples, replace(recipe, lipschitz=2.0), seeds=[1], classes=classes)[0]).max() > 0.1


def test_the_penalty_of_a_model_far_out_is_taken_in_full() -> None:
    """Its gradient m |w| is longer than M here, and brings a model home at its own rate."""
    examples = Examples(np.zeros((4, 3), dtype=np.float32), np.array([0, 1, 0, 1]))
    recipe = replace(NOISY, steps=1, sigma=1000.0, lipschitz=1e-6, radius=1e9)
    start = learn(examples, replace(recipe, steps=0), seeds=[1], classes=2)
    noise = _noise_of(seed=1, steps=1, shape=(1, 3))
    eta = 1 / recipe.smoothness
    expected = (1 - eta * recipe.strong_convexity) * start[0] + math.sqrt(2 * eta) * recipe.sigma * noise[0]
    np.testing.assert_allclose(learn(examples, recipe, seeds=[1], classes=2)[0], expected, rtol=1e-5)


def _noise_of(*, seed: int, steps: int, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a model's noise [steps, rows, d]: the generator of its seed gives the start first, then every step's."""
    generator = torch.Generator().manual_seed(seed)
    torch.randn((1, *shape), generator=generator)
    return torch.randn((steps, *shape), generator=generator).numpy()


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 3.0), st.integers(0, 2**31))
def test_a_gradient_is_no_longer_than_its_limit(limit: float, seed: int) -> None:
    """A single example's has the norm of its error, or the limit."""
    generator = torch.Generator().manual_seed(seed)
    weights = 5 * torch.randn((2, 4, 6), generator=generator)
    features = unit_features(torch.randn((1, 6), generator=generator))
    targets = torch.nn.functional.one_hot(torch.tensor([seed % 4]), 4).float()
    norms = clipped_gradient(weights, features, targets, limit=limit).flatten(1).norm(dim=1)
    full = clipped_gradient(weights, features, targets, limit=100.0).flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, full.clamp(max=limit))
    assert float(full.max()) <= 2**0.5 + 1e-5


def test_a_gradient_of_nothing_is_a_number() -> None:
    """A label that is certain has no error, and images of zeros no norm."""
    features = unit_features(torch.zeros((3, 2, 2)))
    gradient = clipped_gradient(torch.zeros((1, 1, 4)), features, torch.full((3, 1), 0.5), limit=1.0)
    assert gradient.tolist() == [[[0.0] * 4]]


# The ball


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_what_is_inside_the_ball_stays_and_what_is_outside_comes_to_its_surface(
    seed: int, radius: float, size: float
) -> None:
    weights = size * torch.randn((3, 2, 5), generator=torch.Generator().manual_seed(seed))
    found = project(weights, radius)
    for before, after in zip(weights, found, strict=True):
        norm = float(before.norm())
        if norm <= radius:
            torch.testing.assert_close(after, before, rtol=2e-7, atol=0.0)
        else:
            assert float(after.norm()) == pytest.approx(radius, rel=1e-5)
            torch.testing.assert_close(after / after.norm(), before / before.norm(), rtol=1e-4, atol=1e-6)


def test_models_stay_in_the_ball() -> None:
    recipe = replace(NOISY, radius=0.2)
    norms = np.linalg.norm(learn(problem(2), recipe, seeds=[1, 2, 3], classes=2).reshape(3, -1), axis=1)
    assert norms == pytest.approx([0.2] * 3, rel=1e-5)
    examples = problem(2)
    silent = replace(PLAIN, steps=10, radius=0.2)
    expected = loop(examples, silent, classes=2)
    found = learn(examples, silent, seeds=[1], classes=2)[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(silent, examples, expected))


# Seeds


@pytest.mark.parametrize("steps", [12, 300], ids=["one block of noise", "several"])
def test_a_model_depends_on_its_own_seed_alone(steps: int) -> None:
    examples, recipe = problem(3), replace(NOISY, steps=steps, published_sigma=0.1)
    company = learn(examples, recipe, seeds=[7, 2, 40], classes=3)
    alone = learn(examples, recipe, seeds=[2], classes=3)
    np.testing.assert_allclose(company[1], alone[0], rtol=0, atol=2 * rounding(recipe, examples, alone[0]))
    assert len({row.tobytes() for row in company}) == 3


def test_a_longer_run_goes_on_from_a_shorter_one() -> None:
    """Noise is drawn in blocks; where one ends changes nothing."""
    examples, seeds = problem(2), [5]
    long = learn(examples, replace(NOISY, steps=300), seeds=seeds, classes=2)[0]
    noise = _noise_of(seed=5, steps=300, shape=(1, 6))
    weights = learn(examples, replace(NOISY, steps=0), seeds=seeds, classes=2)[0]
    for step in range(300):
        moved = loop(examples, replace(NOISY, steps=1), classes=2, start=weights)
        weights = moved + math.sqrt(2 / NOISY.smoothness) * NOISY.sigma * noise[step]
    np.testing.assert_allclose(long, weights, rtol=0, atol=rounding(replace(NOISY, steps=300), examples, weights))


def test_what_is_published_gets_its_noise() -> None:
    examples, seeds = problem(2, features=300), list(range(40))
    recipe = replace(PLAIN, steps=5, published_sigma=0.25)
    secret = learn(examples, replace(recipe, published_sigma=0.0), seeds=seeds, classes=2)
    added = learn(examples, recipe, seeds=seeds, classes=2) - secret
    assert added.std() == pytest.approx(0.25, rel=5 / math.sqrt(2 * added.size))
    assert abs(np.corrcoef(added[:, 0])[np.triu_indices(40, 1)]).max() < 0.35


def test_training_takes_it_for_what_it_is() -> None:
    """Through `train`, from models of the benchmarks' architecture, whose starts do not count."""
    examples = problem(2)
    build = Architecture("unit_logistic", (6,), 2)
    models = train(build, initialise(build, [7, 8]), examples=examples, seeds=[1, 2], recipe=NOISY)
    np.testing.assert_array_equal(models["head.weight"].numpy(), learn(examples, NOISY, seeds=[1, 2], classes=2))


# What is refused


@pytest.mark.parametrize("changes", [{"batches": 5, "steps": 10}, {"batches": 3, "steps": 10}], ids=["data", "steps"])
def test_unequal_batches_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadNoisyDescent, match="do not divide into"):
        learn(problem(2), replace(PLAIN, **changes), seeds=[1], classes=2)


def test_other_architectures_are_refused() -> None:
    build = Architecture("mlp", (6,), 2)
    with pytest.raises(BadNoisyDescent, match="unit_logistic"):
        train(build, initialise(build, [1]), examples=problem(2), seeds=[1], recipe=PLAIN)


def test_the_architecture_is_logistic_regression_of_unit_features() -> None:
    """Its softmax is what descent takes the gradient of, on images of any shape."""
    for classes in (2, 3):
        build = Architecture("unit_logistic", (2, 3), classes)
        model, images = build(), torch.randn(5, 2, 3)
        (weight,) = model.parameters()
        logits = model(images)
        own = unit_features(images) @ weight.T
        expected = torch.cat([torch.zeros(5, 1), own], dim=1) if classes == 2 else own
        torch.testing.assert_close(logits, expected)
        labels = torch.tensor([0, 1, 1, 0, 1])
        torch.nn.functional.cross_entropy(logits, labels).backward()
        targets = labels.float()[:, None] if classes == 2 else torch.nn.functional.one_hot(labels, 3).float()
        mine = clipped_gradient(weight.detach()[None], unit_features(images), targets, limit=10.0)[0]
        assert weight.grad is not None
        torch.testing.assert_close(mine, weight.grad)

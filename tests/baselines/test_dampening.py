"""SSD and its kin: importances and weights against the formulas, worked out example by example."""

import copy
import math
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from baselines import assd, assd_random, lfssd, lfssd_random, potion, ssd, ssd_random
from tests.baselines.small import accuracy, digits, everything, flat, normalised, run

Arrays = list[np.ndarray]


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    return -torch.log(torch.exp(logits)[label] / torch.exp(logits).sum())


def squared_norm(logits: Tensor, label: Tensor) -> Tensor:
    return (logits**2).sum()


def norm(logits: Tensor, label: Tensor) -> Tensor:
    return (logits**2).sum() ** 0.5


def expected_importances(
    net: nn.Module, batches: Iterable[Any], of_example: Callable[[Tensor, Tensor], Tensor], power: int
) -> Arrays:
    """Take each example's gradient alone; average within batches, take the power, average over batches."""
    net = copy.deepcopy(net).eval()
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    of_batches: list[Arrays] = []
    for images, labels in batches:
        gradients: list[Arrays] = []
        for image, label in zip(images, labels, strict=True):
            for parameter in parameters:
                parameter.grad = None
            of_example(net(image.unsqueeze(0))[0], label).backward()
            gradients.append([parameter.grad.numpy().copy() for parameter in parameters if parameter.grad is not None])
        of_batches.append([abs(sum(column) / len(gradients)) ** power for column in zip(*gradients, strict=True)])
    return [sum(column) / len(of_batches) for column in zip(*of_batches, strict=True)]


def expected_weights(net: nn.Module, general: Arrays, special: Arrays, alpha: float, lam: float) -> tuple[Arrays, int]:
    """Dampen weight by weight; return the weights and how many were chosen."""
    chosen, result = 0, []
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    for parameter, g, s in zip(parameters, general, special, strict=True):
        weights = parameter.detach().numpy().copy()
        for index in np.ndindex(weights.shape):
            if s[index] > alpha * g[index]:
                weights[index] *= min(lam * g[index] / s[index], 1.0)
                chosen += 1
        result.append(weights)
    return result, chosen


def adaptive_threshold(general: Arrays, special: Arrays, percent: float) -> float:
    """The percentile by its definition, interpolated between neighbours."""
    ratios = sorted(
        s / g for gs, ss in zip(general, special, strict=True) for g, s in zip(gs.flat, ss.flat, strict=True) if g > 0
    )
    place = percent / 100 * (len(ratios) - 1)
    low = math.floor(place)
    return float(ratios[low] + (ratios[min(low + 1, len(ratios) - 1)] - ratios[low]) * (place - low))


def assert_same(net: nn.Module, expected: Arrays) -> None:
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    for parameter, array in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), array, rtol=1e-9, atol=1e-12)


FORMULAS = {
    ssd: (cross_entropy, 2),
    ssd_random: (cross_entropy, 2),
    assd: (cross_entropy, 2),
    assd_random: (cross_entropy, 2),
    lfssd: (squared_norm, 1),
    lfssd_random: (squared_norm, 1),
    potion: (norm, 1),
}
FIXED = [ssd, lfssd, assd, potion]
RANDOMISED = {ssd_random: ssd, lfssd_random: lfssd, assd_random: assd}


def name(module: ModuleType) -> str:
    return module.__name__.split(".")[-1]


@pytest.mark.parametrize("module", FORMULAS, ids=name)
def test_importances_are_those_of_single_examples(module: Any) -> None:
    net, data = normalised()
    batches = list(data.retain)
    assert [len(labels) for _, labels in batches] == [64, 64, 22]
    found = module.importances(copy.deepcopy(net).eval(), batches)
    for tensor, array in zip(found, expected_importances(net, batches, *FORMULAS[module]), strict=True):
        np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("module", FIXED, ids=name)
def test_fixed_batches_hold_every_example_once_in_the_same_order(module: Any) -> None:
    _, data = normalised()
    first, second = (list(module.fixed_batches(*data)) for _ in range(2))
    assert [len(labels) for _, labels in first] == [64, 64, 62]
    for (images, labels), (again, labels_again) in zip(first, second, strict=True):
        assert torch.equal(images, again) and torch.equal(labels, labels_again)
    together = torch.cat([images for images, _ in first]).sort(dim=0).values
    assert torch.equal(together, torch.cat([everything(loader)[0] for loader in data]).sort(dim=0).values)


@pytest.mark.parametrize(("alpha", "lam"), [(10.0, 1.0), (1.5, 1.0), (1.0, 0.1), (0.5, 5.0)])
@pytest.mark.parametrize("module", [ssd, lfssd], ids=name)
def test_dampened_weights_follow_the_formula(
    module: Any, alpha: float, lam: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, data = normalised()
    monkeypatch.setattr(module, "ALPHA", alpha)
    monkeypatch.setattr(module, "LAMBDA", lam)
    general = expected_importances(net, module.fixed_batches(*data), *FORMULAS[module])
    special = expected_importances(net, module.fixed_batches(data.forget), *FORMULAS[module])
    weights, chosen = expected_weights(net, general, special, alpha, lam)
    assert chosen < sum(array.size for array in weights)
    assert chosen > 0 or alpha == 10
    assert_same(run(module, net, data), weights)


def test_assd_takes_the_percentile_of_the_ratios_to_the_retain_set(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = normalised()
    general = expected_importances(net, assd.fixed_batches(data.retain), cross_entropy, 2)
    special = expected_importances(net, assd.fixed_batches(data.forget), cross_entropy, 2)
    alpha = adaptive_threshold(general, special, 100 - math.log(1 + 100 * 40 / 190))
    weights, chosen = expected_weights(net, general, special, alpha, 1.0)
    assert chosen == 3  # 1 + 100 * 40 / 190 = 22.1, of which the logarithm is 3.1 %, of 69 weights
    assert_same(run(assd, net, data), weights)


def test_assd_leaves_out_ratios_that_are_no_numbers() -> None:
    retain, forget = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0]), torch.tensor([0.0, 5.0, 1.0, 2.0, 3.0])
    assert assd.threshold([retain], [forget], 0.0) == 3.0
    assert assd.threshold([retain[:2]], [forget[:2]], 0.1) == math.inf


def test_potion_dampens_ever_more_of_the_original_until_accuracy_breaks() -> None:
    net, data = digits(forgotten_class=3)
    net = net.double()
    for loader in data:
        loader.dataset.images = loader.dataset.images.double()
    general = expected_importances(net, potion.fixed_batches(data.retain), norm, 1)
    special = expected_importances(net, potion.fixed_batches(data.forget), norm, 1)
    goal = 0.2 * accuracy(net, data.forget)
    found = run(potion, net, data)
    assert accuracy(found, data.forget) <= goal
    assert accuracy(found, data.retain) > 0.7
    for tries in range(500):
        alpha = adaptive_threshold(
            general, special, 100 - math.log(1 + 100 * (everything(data.forget)[1].shape[0] / 600 / 25) * 1.1**tries)
        )
        weights, _ = expected_weights(net, general, special, alpha, 1.0)
        candidate = copy.deepcopy(net)
        with torch.no_grad():
            for parameter, array in zip(candidate.parameters(), weights, strict=True):
                parameter.copy_(torch.from_numpy(array))
        if accuracy(candidate, data.forget) <= goal:
            break
    assert tries > 0
    assert_same(found, weights)


def test_a_search_that_fails_ends_with_its_last_try() -> None:
    net, data = normalised()
    everything(data.forget)[1].fill_(1)  # a constant answer is right, whatever is dampened
    with torch.no_grad():
        net.head.bias.copy_(torch.tensor([-30.0, 30.0, -30.0]))
    general = expected_importances(net, potion.fixed_batches(data.retain), norm, 1)
    special = expected_importances(net, potion.fixed_batches(data.forget), norm, 1)
    last = 100 - math.log(1 + 100 * (40 / 190 / 25) * 1.1**499)
    weights, chosen = expected_weights(net, general, special, adaptive_threshold(general, special, last), 1.0)
    assert chosen > 20
    found = run(potion, net, data)
    assert accuracy(found.eval(), data.forget) == 1.0
    assert_same(found, weights)


@given(st.lists(st.tuples(*[st.floats(0, 1e6, width=32)] * 2, st.floats(-9, 9, width=32)), min_size=1, max_size=20))
@pytest.mark.parametrize("module", [ssd, lfssd, ssd_random, lfssd_random], ids=name)
def test_only_outstanding_weights_shrink_and_none_grows(module: Any, rows: list[tuple[float, float, float]]) -> None:
    general, special, weights = torch.tensor(rows).T
    net = nn.Linear(len(rows), 1, bias=False)
    with torch.no_grad():
        net.weight.copy_(weights[None])
    module.dampen(net, [general[None]], [special[None]])
    after = net.weight.detach()[0]
    assert (after.abs() <= weights.abs()).all()
    assert (weights * after >= 0).all()
    quiet = special <= 10 * general
    assert torch.equal(after[quiet], weights[quiet])
    forgotten = ~quiet & (general == 0)
    assert (after[forgotten] == 0).all()


@pytest.mark.parametrize("module", [*FIXED, *RANDOMISED], ids=name)
def test_buffers_and_frozen_parameters_stay(module: Any) -> None:
    net, data = normalised()
    after = run(module, net, data)
    for before, buffer in zip(net.buffers(), after.buffers(), strict=True):
        assert torch.equal(before, buffer)
    if module not in RANDOMISED:
        assert torch.equal(after.get_parameter("scale"), net.scale)


@pytest.mark.parametrize("module", FIXED, ids=name)
def test_published_methods_give_one_model_whatever_the_seed(module: Any) -> None:
    net, data = digits()
    assert torch.equal(flat(run(module, net, data, seed=1)), flat(run(module, net, data, seed=2)))


@pytest.mark.parametrize("module", RANDOMISED, ids=name)
def test_a_randomised_method_stays_near_the_published_one_but_differs_from_run_to_run(module: Any) -> None:
    net, data = digits(forgotten_class=3)
    published = flat(run(RANDOMISED[module], net, data))
    runs = [flat(run(module, net, data, seed=seed)) for seed in (1, 2)]
    assert (runs[0] - runs[1]).std() > 1e-3
    moved = (published - flat(net)).norm()
    assert moved > 0
    assert all((weights - flat(net)).norm() > 0.2 * moved for weights in runs)


def test_a_random_half_of_the_batches_is_used() -> None:
    _, data = normalised()
    torch.manual_seed(0)
    seen = [len(list(ssd_random.random_half(*data))) for _ in range(20)]
    assert set(seen) == {2}  # of 3 and 1
    assert len(list(ssd_random.random_half(data.forget))) == 1
    firsts = {float(next(iter(ssd_random.random_half(*data)))[0].sum()) for _ in range(5)}
    assert len(firsts) > 1


@pytest.mark.parametrize(
    ("module", "alpha"), [(ssd, 10.0), (ssd_random, 10.0), (lfssd, 5.0)], ids=["ssd", "ssd_random", "lfssd"]
)
def test_a_class_is_forgotten_and_the_others_are_kept(
    module: Any, alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALPHA", alpha)
    net, data = digits(forgotten_class=3)
    after = run(module, net, data)
    assert accuracy(net, data.forget) > 0.9
    assert accuracy(after, data.forget) < 0.1
    assert accuracy(after, data.retain) > 0.9

"""SalUn, RUM, l1-sparse and gradient ascent: steps by hand, and which weights and examples take part."""

import copy

import pytest
import torch
from torch import Tensor, nn

from baselines import gradient_ascent, l1_sparse, rum, salun
from tests.baselines.small import accuracy, cross_entropy, digits, everything, flat, normalised, run, splits


def cross_entropy_gradient(weight: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    """Of a linear model without bias: the residuals times the images."""
    residual = torch.softmax(images @ weight.T, dim=1) - nn.functional.one_hot(labels, len(weight))
    return residual.T @ images / len(images)


@pytest.fixture
def linear() -> tuple[nn.Linear, Tensor, Tensor]:
    torch.manual_seed(0)
    return nn.Linear(3, 2, bias=False).double(), torch.randn(6, 3).double(), torch.randint(2, (6,))


def test_gradient_ascent_climbs_from_step_to_step(
    linear: tuple[nn.Linear, Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradient_ascent, "EPOCHS", 2)
    net, images, labels = linear
    weight, speed = net.weight.detach().clone(), torch.zeros(2, 3).double()
    for _ in range(2):
        speed = 0.9 * speed - cross_entropy_gradient(weight, images, labels) + 5e-4 * weight
        weight = weight - 1e-4 * speed
    gradient_ascent.unlearning(net, None, [(images, labels)], None)
    torch.testing.assert_close(net.weight.detach(), weight)


def test_gradient_ascent_destroys_at_the_rate_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    assert accuracy(run(gradient_ascent, net, data), data.retain) > 0.99
    monkeypatch.setattr(gradient_ascent, "LEARNING_RATE", 0.1)
    broken = run(gradient_ascent, net, data)
    assert accuracy(broken, data.retain) < 0.3 and cross_entropy(broken, data.forget) > 10


def test_gradient_ascent_takes_a_single_image() -> None:
    net, data = normalised()
    images, labels = everything(data.forget)
    alone = splits(images, labels, torch.arange(40) == 3)
    assert not torch.equal(flat(run(gradient_ascent, net, alone)), flat(net))


def test_penalty_pulls_by_its_sign_and_fades(
    linear: tuple[nn.Linear, Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"EPOCHS": 2, "GAMMA": 0.1, "MOMENTUM": 0.0}.items():
        monkeypatch.setattr(l1_sparse, name, value)
    net, images, labels = linear
    weight = net.weight.detach().clone()
    for gamma in (0.1, 0.05):
        gradient = cross_entropy_gradient(weight, images, labels)
        weight = weight - 0.01 * (gradient + gamma * weight / weight.abs() + 5e-4 * weight)
    l1_sparse.unlearning(net, [(images, labels)], None, None)
    torch.testing.assert_close(net.weight.detach(), weight)


def test_salun_steps_on_wrong_labels_with_the_salient_half_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = {"EPOCHS": 1, "BATCH_SIZE": 190, "wrong_labels": lambda labels, classes: (labels + 1) % classes}
    for name, value in replaced.items():
        monkeypatch.setattr(salun, name, value)
    net, data = normalised()
    weights = [parameter for parameter in net.parameters() if parameter.requires_grad]
    (retain, true), (forget, labels) = map(everything, data)
    slopes = [torch.zeros_like(weight) for weight in weights]
    for image, label in zip(forget, labels, strict=True):
        single = copy.deepcopy(net).eval()
        loss = -torch.softmax(single(image[None]), dim=1)[0, label].log()
        mine = [parameter for parameter in single.parameters() if parameter.requires_grad]
        for slope, gradient in zip(slopes, torch.autograd.grad(loss, mine), strict=True):
            slope.add_(gradient)
    every = sorted(abs(value) for slope in slopes for value in slope.flatten().tolist())
    least = every[len(every) // 2]
    trained = copy.deepcopy(net).train()
    logits = trained(torch.cat([retain, forget]))
    nn.functional.cross_entropy(logits, torch.cat([true, (labels + 1) % 3])).backward()
    after = run(salun, net, data)
    pairs = zip(net.parameters(), trained.parameters(), after.parameters(), strict=True)
    moving = [(old, same.grad, new) for old, same, new in pairs if old.requires_grad]
    for slope, (old, slope_in_training, new) in zip(slopes, moving, strict=True):
        assert slope_in_training is not None
        step = -0.013 * (slope_in_training + 5e-4 * old) * (slope.abs() >= least)
        torch.testing.assert_close(new, old + step)
        assert torch.equal(new[slope.abs() < least], old[slope.abs() < least])


def test_least_confident_examples_are_the_most_memorised() -> None:
    low, medium, high = rum.thirds(torch.tensor([0.9, 0.1, 0.5, 0.8, 0.2, 0.6]))
    assert [set(part.tolist()) for part in (low, medium, high)] == [{0, 3}, {2, 5}, {1, 4}]
    assert [len(part) for part in rum.thirds(torch.rand(5))] == [1, 2, 2]


def test_rum_finetunes_and_relabels_the_most_memorised_third(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    (retain, true), (forget, labels) = map(everything, data)
    with torch.no_grad():
        chances = torch.softmax(net(forget), dim=1)[torch.arange(60), labels]
    high = sorted(range(60), key=lambda place: float(chances[place]))[:20]
    stages = []
    monkeypatch.setattr(rum, "train", lambda net, images, labels, *rest, masks: stages.append((images, labels, masks)))
    run(rum, net, data)
    (first, first_labels, none), (second, second_labels, masks) = stages
    assert none is None and sorted(first.flatten(1).tolist()) == sorted(retain.flatten(1).tolist())
    assert sorted(first_labels.tolist()) == sorted(true.tolist())
    relabelled = zip(second[540:].flatten(1).tolist(), second_labels[540:].tolist(), strict=True)
    wrong = {tuple(image): label for image, label in relabelled}
    assert set(wrong) == {tuple(image) for image in forget[high].flatten(1).tolist()}
    assert all(wrong[tuple(forget[place].flatten().tolist())] != int(labels[place]) for place in high)
    marked = torch.cat([mask.flatten() for mask in masks])
    assert int(marked.sum()) == round(0.5 * len(marked))


def test_rums_second_stage_moves_marked_weights_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rum, "FINETUNE_EPOCHS", 0)
    net, data = digits()
    moved = flat(run(rum, net, data)) != flat(net)
    assert 0.45 * len(moved) < int(moved.sum()) <= 0.5 * len(moved)

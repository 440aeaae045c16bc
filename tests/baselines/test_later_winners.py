"""Places 4 to 9 of 2023: which weights they break, and the losses by which they repair, worked out by hand."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines import (
    winner_4_pruned_reset,
    winner_5_transposed,
    winner_6_reset_and_distil,
    winner_7_layerwise,
    winner_9_forget_free,
)
from tests.baselines.small import Splits, digits, flat, normalised, run, small_net, splits


@pytest.fixture
def pictures() -> Splits:
    torch.manual_seed(0)
    return splits(torch.randn(12, 3, 16, 16), torch.randint(5, (12,)), torch.arange(12) < 4)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(6, 3, dtype=torch.float64), torch.tensor([0, 0, 0, 1, 1, 2])


def moved(before: nn.Module, after: nn.Module) -> dict[str, Tensor]:
    pairs = zip(before.named_parameters(), after.parameters(), strict=True)
    return {name: (b - a).detach() for (name, a), b in pairs if not torch.equal(a, b)}


def named(net: nn.Module, modules: list[Any]) -> list[str]:
    return [name for name, module in net.named_modules() if any(module is one for one in modules)]


def linear() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(3, 3).double()


def doubled(net: nn.Linear) -> nn.Linear:
    """What a test puts in the place of a reset, so that it knows what comes out."""
    with torch.no_grad():
        net.weight.mul_(2)
    return net


# The fourth


def test_the_smallest_weights_of_the_whole_net_are_drawn_anew_by_torchs_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winner_4_pruned_reset, "PRUNED", 0.9)
    net = small_net("convnet")
    after = copy.deepcopy(net)
    winner_4_pruned_reset.draw_anew(after)
    weights = {name: weight.detach() for name, weight in net.named_parameters() if name.endswith("weight")}
    every = sorted(abs(value) for weight in weights.values() for value in weight.flatten().tolist())
    largest = every[round(0.9 * len(every)) - 1]
    changes = moved(net, after)
    assert list(changes) == list(weights)
    for name, change in changes.items():
        assert torch.equal(change != 0, weights[name].abs() <= largest)
        fresh = after.get_parameter(name).detach()[change != 0]
        bound = 1 / math.sqrt(weights[name][0].numel())
        assert float(fresh.abs().max()) <= bound
        assert float(fresh.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_repair_asks_for_labels_and_for_the_originals_entropies(
    batch: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"EPOCHS": 1.0, "WEIGHT_DECAY": 0.0, "draw_anew": doubled}.items():
        monkeypatch.setattr(winner_4_pruned_reset, name, value)
    original, (images, labels) = linear(), batch
    net = doubled(copy.deepcopy(original))
    chances, wanted = torch.softmax(net(images), dim=1), torch.softmax(original(images), dim=1).detach()
    class_weights = [count**-0.1 for count in (3, 2, 1)]
    losses = [class_weights[y] * -p[y].log() for p, y in zip(chances, labels.tolist(), strict=True)]
    loss = torch.stack(losses).sum() / sum(class_weights[y] for y in labels.tolist())
    gaps = [(-(p * p.log()).sum() + (q * q.log()).sum()) ** 2 for p, q in zip(chances, wanted, strict=True)]
    (gradient,) = torch.autograd.grad(loss + torch.stack(gaps).mean(), [net.weight])
    after = copy.deepcopy(original)
    winner_4_pruned_reset.unlearning(after, [batch], None, None)
    torch.testing.assert_close(after.weight, net.weight - 5e-4 * gradient)


def test_the_fourth_epoch_ends_after_a_fifth(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    taken, original = [], winner_4_pruned_reset.class_weights

    def noted(counts: Tensor, logits: Tensor) -> Tensor:
        taken.append(len(logits))
        return original(counts, logits)

    monkeypatch.setattr(winner_4_pruned_reset, "class_weights", noted)
    run(winner_4_pruned_reset, net, data)
    assert len(data.retain) == 9 and len(taken) == 29


# The fifth


def test_transposed_convolutions_read_transposed_images(pictures: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winner_5_transposed, "EPOCHS", 0)
    for architecture in ("convnet", "resnet18"):
        net = small_net(architecture)
        after = run(winner_5_transposed, net, pictures)
        convolutions = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.Conv2d)]
        wide = [name for name, module in convolutions if module.kernel_size > (1, 1)]
        assert list(moved(net, after)) == [f"{name}.weight" for name in wide]
        for name in wide:
            old, new = net.get_submodule(name), after.get_submodule(name)
            assert isinstance(old, nn.Conv2d)
            images = torch.randn(2, old.in_channels, 9, 9)
            torch.testing.assert_close(new(images.transpose(2, 3)).transpose(2, 3), old(images))


def test_without_convolutions_the_first_layer_is_one_as_large_as_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winner_5_transposed, "EPOCHS", 0)
    net, data = digits()
    after = run(winner_5_transposed, net, data)
    images = torch.randn(5, 1, 8, 8)
    assert not torch.equal(flat(net), flat(after))
    torch.testing.assert_close(after(images.transpose(2, 3)), net(images))
    plain, vectors = normalised()
    changed = run(winner_5_transposed, plain, vectors)
    assert list(moved(plain, changed)) == ["first.weight"]
    assert torch.equal(changed.get_parameter("first.weight"), plain.first.weight.flip(1))


# The sixth


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        ("resnet18", ["conv1", "fc"]),
        ("convnet", ["layers.0", "head"]),
        ("vit", ["conv_proj", "heads.head"]),
        ("mlp", ["hidden", "head"]),
        ("logistic", ["head"]),
    ],
)
def test_both_ends_are_drawn_anew(architecture: str, names: list[str]) -> None:
    net = small_net(architecture)
    assert named(net, winner_6_reset_and_distil.ends(net)) == names


def test_labels_predictions_and_soft_predictions_add_up() -> None:
    torch.manual_seed(0)
    logits, taught, labels = torch.randn(4, 3).double(), torch.randn(4, 3).double(), torch.tensor([0, 1, 2, 1])
    terms = []
    for p, q, y in zip(logits.tolist(), taught.tolist(), labels.tolist(), strict=True):

        def soft(values: list[float], temperature: float) -> list[float]:
            powers = [math.exp(value / temperature) for value in values]
            return [power / sum(powers) for power in powers]

        hard, known = [math.log(value) for value in soft(p, 1)], soft(q, 1)
        distance = sum(b * math.log(b / a) for a, b in zip(soft(p, 5), soft(q, 5), strict=True))
        terms.append(-hard[y] - sum(b * a for a, b in zip(hard, known, strict=True)) + 25 * distance)
    found = winner_6_reset_and_distil.full_loss(logits, taught, labels)
    assert float(found) == pytest.approx(sum(terms) / 4, rel=1e-9)


def test_warm_up_follows_the_original_on_validation_images(
    batch: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"EPOCHS": 0, "WARM_UP": 1, "ends": lambda net: []}.items():
        monkeypatch.setattr(winner_6_reset_and_distil, name, value)
    images, labels = batch
    original, net = linear(), doubled(linear())
    p, q = torch.softmax(net(images) / 5, dim=1), torch.softmax(original(images) / 5, dim=1)
    gradient = ((p - q) / 5).T @ images / len(images)
    monkeypatch.setattr(
        winner_6_reset_and_distil, "copy", type("", (), {"deepcopy": staticmethod(lambda net: linear())})
    )
    expected = net.weight - 9e-4 * gradient
    winner_6_reset_and_distil.unlearning(net, [(images + 1, labels)], None, [(images, labels)])
    torch.testing.assert_close(net.weight, expected)


# The seventh


def test_nine_of_resnets_layers_are_chosen_and_noise_has_its_size_and_share() -> None:
    net = small_net("resnet18")
    found = winner_7_layerwise.layers(net)
    assert len(found) == 21 and not [layer for layer in found if isinstance(layer, nn.BatchNorm2d)]
    draws = [tuple(named(net, winner_7_layerwise.draw(found))) for _ in range(20)]
    assert {len(draw) for draw in draws} == {9} and len(set(draws)) > 10
    after = copy.deepcopy(net)
    winner_7_layerwise.disturb([after.get_submodule("layer4.1.conv1")])
    (change,) = moved(net, after).values()
    assert float((change != 0).double().mean()) == pytest.approx(0.7, abs=0.01)
    assert float(change[change != 0].std()) == pytest.approx(0.04, rel=0.02)


def test_an_epoch_trains_its_layers_and_normalisation_and_the_last_ones_all(
    pictures: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = small_net("resnet18")
    replaced = {"RATES": (0.1,), "TOGETHER": 0, "NOISE": 0.0, "draw": lambda found: [found[0]]}
    for name, value in replaced.items():
        monkeypatch.setattr(winner_7_layerwise, name, value)
    changed = set(moved(net, run(winner_7_layerwise, net, pictures)))
    norms = {name for name, module in net.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert changed == {"conv1.weight", "fc.weight", "fc.bias", *(f"{name}.weight" for name in norms)} | {
        f"{name}.bias" for name in norms
    }
    monkeypatch.setattr(winner_7_layerwise, "TOGETHER", 1)
    assert len(moved(net, run(winner_7_layerwise, net, pictures))) == len(list(net.parameters()))


# The ninth


def test_drawn_are_resnets_wide_convolutions_and_elsewhere_all_layers_but_the_last() -> None:
    net = small_net("resnet18")
    names = named(net, winner_9_forget_free.pool(net))
    assert len(names) == 17 and not [name for name in names if "downsample" in name or name == "fc"]
    for architecture, expected in {"mlp": ["hidden"], "logistic": ["head"]}.items():
        net = small_net(architecture)
        assert named(net, winner_9_forget_free.draw(winner_9_forget_free.pool(net))) == expected
    torch.manual_seed(0)
    counts = [len(winner_9_forget_free.draw(list(range(17)))) for _ in range(2000)]
    assert max(counts) == 6 and sum(counts) / 2000 == pytest.approx(17 * (1 - (16 / 17) ** 6), abs=0.06)


def test_ninth_follows_labels_and_the_originals_logits_and_needs_no_forget_set(
    batch: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reset:
        def reset_parameters(self) -> None:
            doubled(after)

    replaced = {"CYCLES": (1,), "NOISE": 0.0, "WEIGHT_DECAY": 0.0, "draw": lambda layers: [Reset()]}
    for name, value in replaced.items():
        monkeypatch.setattr(winner_9_forget_free, name, value)
    original, (images, labels) = linear(), batch
    net, after = doubled(copy.deepcopy(original)), copy.deepcopy(original)
    residual = torch.softmax(net(images), dim=1) - nn.functional.one_hot(labels, 3)
    gradient = residual.T @ images / 6 + 2 * (net(images) - original(images)).T @ images / 18
    winner_9_forget_free.unlearning(after, [batch], None, None)
    torch.testing.assert_close(after.weight, net.weight - 1e-3 * gradient)

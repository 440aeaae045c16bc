"""The first three of 2023: losses by loops, and which weights are drawn anew, disturbed or slowed."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from baselines import winner_1_contrastive, winner_2_masked_reset, winner_3_noisy_first_layer
from tests.baselines.small import Splits, accuracy, digits, everything, flat, run, small_net, splits


@pytest.fixture
def pictures() -> Splits:
    """As many examples to keep as to forget."""
    torch.manual_seed(0)
    return splits(torch.randn(80, 3, 16, 16).double(), torch.randint(5, (80,)), torch.arange(80) % 2 == 0)


def moved(before: nn.Module, after: nn.Module) -> dict[str, Tensor]:
    pairs = zip(before.named_parameters(), after.parameters(), strict=True)
    return {name: (b - a).detach() for (name, a), b in pairs if not torch.equal(a, b)}


# The first


def test_contrast_is_its_definition() -> None:
    torch.manual_seed(0)
    forget, retain = torch.randn(4, 3), torch.randn(6, 3)
    terms = []
    for f in forget:
        likeness = [math.exp(float(f @ r) / 1.15) for r in retain]
        terms += [-math.log(one / sum(likeness)) for one in likeness]
    found = winner_1_contrastive.contrast(forget, retain)
    assert float(found) == pytest.approx(sum(terms) / len(terms), rel=1e-5)
    assert float(winner_1_contrastive.contrast(0 * forget, retain)) == pytest.approx(math.log(6))


def test_forget_passes_make_forget_images_resemble_all_retain_images_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    monkeypatch.setattr(winner_1_contrastive, "UNDECIDE_RATE", 0.0)
    monkeypatch.setattr(winner_1_contrastive, "REPAIR_RATE", 0.0)
    after = run(winner_1_contrastive, net, data)
    forget, retain = everything(data.forget)[0], everything(data.retain)[0]
    with torch.no_grad():
        assert winner_1_contrastive.contrast(after(forget), after(retain)) < winner_1_contrastive.contrast(
            net(forget), net(retain)
        )


def test_first_pass_makes_the_model_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    monkeypatch.setattr(winner_1_contrastive, "ROUNDS", 0)
    monkeypatch.setattr(winner_1_contrastive, "UNDECIDE_RATE", 0.05)
    after = run(winner_1_contrastive, net, data)

    def to_uniform(net: nn.Module) -> float:
        with torch.no_grad():
            p = torch.softmax(net(everything(data.forget)[0]), dim=1)
        return float((0.1 * (0.1 / p).log()).sum(dim=1).mean())

    assert to_uniform(after) < to_uniform(net) - 0.1


def test_rate_of_forget_passes_is_torchs_cosine() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=3e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10, eta_min=1e-6)
    for taken in range(10):
        assert winner_1_contrastive.cosine(taken / 10) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


def test_repair_takes_every_image_once_in_nearly_equal_batches() -> None:
    batches = winner_1_contrastive.shuffled_batches(torch.zeros(513, 2))
    assert sorted(len(batch) for batch in batches) == [171, 171, 171]
    assert sorted(torch.cat(batches).tolist()) == list(range(513))


def test_first_winner_keeps_what_the_perceptron_can_do() -> None:
    net, data = digits()
    assert accuracy(run(winner_1_contrastive, net, data), data.retain) > 0.95


# The second


def test_weights_that_tell_the_sets_apart_least_are_drawn_anew(
    pictures: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winner_2_masked_reset, "EPOCHS", 0)
    net = small_net("convnet").double()
    after = run(winner_2_masked_reset, net, pictures)
    losses = [nn.functional.cross_entropy(net(images), labels) for images, labels in map(everything, pictures)]
    (losses[0] - losses[1]).backward()
    changes = moved(net, after)
    assert list(changes) == ["layers.0.weight", "layers.1.weight", "layers.2.weight"]
    for name, change in changes.items():
        gradient = net.get_parameter(name).grad
        assert gradient is not None
        sizes = gradient.abs().flatten()
        chosen = change.flatten() != 0
        assert int(chosen.sum()) == round(0.3 * len(sizes))
        assert float(sizes[chosen].max()) <= float(sizes[~chosen].min())


def test_anew_means_hes_rule_by_outputs(pictures: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winner_2_masked_reset, "EPOCHS", 0)
    net = small_net("convnet").double()
    after = run(winner_2_masked_reset, net, pictures)
    for name, outputs in (("layers.1.weight", 32), ("layers.2.weight", 64)):
        weight = after.get_parameter(name).detach()
        anew = weight[weight != net.get_parameter(name)]
        assert float(anew.std()) == pytest.approx((2 / (9 * outputs)) ** 0.5, rel=0.08)


@pytest.mark.parametrize(
    ("architecture", "names"),
    [("mlp", ["hidden.weight"]), ("logistic", ["head.weight"]), ("vit", ["conv_proj.weight"])],
)
def test_nets_without_convolutions_are_reset_in_all_matrices_but_the_last(architecture: str, names: list[str]) -> None:
    net = small_net(architecture)
    chosen = {id(weight) for weight in winner_2_masked_reset.chosen_weights(net)}
    assert [name for name, parameter in net.named_parameters() if id(parameter) in chosen] == names


def test_kept_weights_learn_at_a_tenth(pictures: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"EPOCHS": 1, "WEIGHT_DECAY": 0.0, "MOMENTUM": 0.0, "rate": lambda epochs: 1.0}.items():
        monkeypatch.setattr(winner_2_masked_reset, name, value)
    net = small_net("convnet").double()
    images, labels = everything(pictures.retain)  # one batch
    nn.functional.cross_entropy(net(images), labels).backward()
    after = copy.deepcopy(net)
    weights = winner_2_masked_reset.chosen_weights(after)
    masks = [torch.rand_like(weight) < 0.3 for weight in weights]
    winner_2_masked_reset.finetune(after, weights, masks, pictures.retain)
    rates = {f"layers.{place}.weight": mask + 0.1 * ~mask for place, mask in enumerate(masks)}
    for name, change in moved(net, after).items():
        gradient = net.get_parameter(name).grad
        assert gradient is not None
        torch.testing.assert_close(change, -1e-3 * rates.get(name, torch.ones(())) * gradient)


def test_rate_rises_for_three_epochs_and_falls_for_two() -> None:
    wanted = {0.0: 0.0, 1.5: 0.5, 3.0: 1.0, 4.0: 0.5, 5.0: 0.0}
    assert {epochs: winner_2_masked_reset.rate(epochs) for epochs in wanted} == wanted


def test_second_winner_keeps_what_the_perceptron_can_do() -> None:
    net, data = digits()
    assert accuracy(run(winner_2_masked_reset, net, data), data.retain) > 0.9


# The third


@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        ("resnet18", "conv1.weight"),
        ("convnet", "layers.0.weight"),
        ("vit", "conv_proj.weight"),
        ("mlp", "hidden.weight"),
        ("logistic", "head.weight"),
    ],
)
def test_noise_goes_to_the_first_layer(architecture: str, name: str) -> None:
    net = small_net(architecture)
    (weight,) = winner_3_noisy_first_layer.first_layers(net)
    assert weight is net.get_parameter(name)


@pytest.mark.parametrize(("silenced", "deviation"), [("LATE_NOISE", 0.6), ("NOISE", 0.005)])
def test_noise_has_its_size_and_nothing_else_gets_any(
    silenced: str, deviation: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, data = digits()
    monkeypatch.setattr(winner_3_noisy_first_layer, silenced, 0.0)
    monkeypatch.setattr(winner_3_noisy_first_layer, "LEARNING_RATE", 0.0)
    changes = moved(net, run(winner_3_noisy_first_layer, net, data))
    assert list(changes) == ["hidden.weight"]
    assert float(changes["hidden.weight"].std()) == pytest.approx(deviation, rel=0.05)


def test_loss_weighs_one_class_twentyfold() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 4), torch.tensor([2, 2, 0, 1, 3, 2])
    losses = [float(logits[i].logsumexp(0) - logits[i, y]) for i, y in enumerate(labels)]
    weights = [1.0 if y == 2 else 0.05 for y in labels]
    wanted = sum(w * one for w, one in zip(weights, losses, strict=True)) / sum(weights)
    assert float(winner_3_noisy_first_layer.weighted_loss(logits, labels, 2)) == pytest.approx(wanted, rel=1e-5)


def test_that_class_is_the_retain_sets_most_common(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    labels = torch.tensor([1] * 30 + [0] * 20 + [2] * 25 + [0] * 40)  # 0 where forgotten examples count
    data = splits(torch.randn(115, 1, 8, 8), labels, torch.arange(115) >= 75)
    seen = set()
    original = winner_3_noisy_first_layer.weighted_loss

    def noted(logits: Tensor, labels: Tensor, most_common: int) -> Tensor:
        seen.add(most_common)
        return original(logits, labels, most_common)

    monkeypatch.setattr(winner_3_noisy_first_layer, "weighted_loss", noted)
    net, _ = digits()
    assert not torch.equal(flat(run(winner_3_noisy_first_layer, net, data)), flat(net))
    assert seen == {1}

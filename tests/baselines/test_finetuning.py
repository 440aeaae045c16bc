"""The simple baselines: what each does, against the same in plain steps."""

import copy
import math
from types import ModuleType

import pytest
import torch
from torch import nn

from baselines import finetune, finetune_noise, identity, perturb_repair, retrain
from tests.baselines.small import Splits, everything, flat, normalised, run


def descended(net: nn.Module, data: Splits, *, rate: float, decay: float, seed: int = 0) -> nn.Module:
    """Run an epoch of SGD with momentum 0.9 on the retain set, written out, in the order that a run of the seed has."""
    torch.manual_seed(seed)
    net = copy.deepcopy(net).train()
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    for images, labels in data.retain:
        log_p = torch.log_softmax(net(images), dim=1)
        gradients = torch.autograd.grad(-log_p[torch.arange(len(labels)), labels].mean(), parameters)
        with torch.no_grad():
            for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
                velocity.mul_(0.9).add_(gradient + decay * parameter)
                parameter.sub_(rate * velocity)
    return net


def scaled(loader: Splits) -> Splits:
    """The same splits with other images to forget."""
    other = copy.deepcopy(loader)
    everything(other.forget)[0].mul_(-7)
    return other


def test_identity_gives_the_original_to_the_bit() -> None:
    net, data = normalised()
    assert all(
        torch.equal(a, b)
        for a, b in zip(net.state_dict().values(), run(identity, net, data).state_dict().values(), strict=True)
    )


def test_finetuning_is_an_epoch_of_sgd_on_the_retain_set() -> None:
    net, data = normalised()
    wanted, found = descended(net, data, rate=1e-3, decay=5e-4), run(finetune, net, data)
    torch.testing.assert_close(flat(found), flat(wanted))
    assert float((flat(found) - flat(net)).norm()) > 1e-3


def test_noise_after_finetuning_is_normal_of_its_deviation() -> None:
    net, data = wide()
    noise = flat(run(finetune_noise, net, data)) - flat(descended(net, data, rate=1e-3, decay=5e-4))
    assert_normal(noise, 1e-3)


def test_perturbing_is_noise_of_its_deviation_before_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = wide()
    monkeypatch.setattr(torch.optim, "SGD", lambda parameters, **_: torch.optim.Adam(parameters, lr=0.0))
    assert_normal(flat(run(perturb_repair, net, data)) - flat(net), 0.05)


def test_repairing_is_an_epoch_of_sgd_on_the_retain_set(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = normalised()
    monkeypatch.setattr(perturb_repair, "NOISE", 0.0)
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)  # which draws nothing either
    torch.testing.assert_close(flat(run(perturb_repair, net, data)), flat(descended(net, data, rate=0.1, decay=0.0)))


@pytest.mark.parametrize("method", [finetune, finetune_noise, perturb_repair, retrain])
def test_forget_set_has_no_say(method: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(retrain.RECIPE, "epochs", 2)
    net, data = normalised()
    assert torch.equal(flat(run(method, net, data)), flat(run(method, net, scaled(data))))


@pytest.mark.parametrize("method", [finetune, finetune_noise, perturb_repair])
def test_batch_of_one_image_is_left_out(method: ModuleType) -> None:
    """Batch normalisation cannot take it; 65 retain images in batches of 64 leave one over."""
    net, data = normalised()
    images, labels = everything(data.retain)
    few = Splits(type(data.retain)(type(data.retain.dataset)(images[:65], labels[:65]), shuffle=True), data.forget)
    assert torch.isfinite(flat(run(method, net, few))).all()


def wide() -> tuple[nn.Module, Splits]:
    """A net of 4,000 weights, enough to judge noise by, in double precision."""
    _, data = normalised()
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 500), nn.Tanh(), nn.Linear(500, 3)).double()
    return net, data


def assert_normal(noise: torch.Tensor, deviation: float) -> None:
    z = noise / deviation
    count = z.numel()
    assert abs(float(z.mean())) < 5 / math.sqrt(count)
    assert abs(float(z.square().mean()) - 1) < 5 * math.sqrt(2 / count)
    assert abs(float(z.pow(4).mean()) - 3) < 5 * math.sqrt(96 / count)

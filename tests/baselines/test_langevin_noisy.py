"""Noisy fine-tuning: the clip, the size of its noise, and the update by hand."""

import pytest
import torch
from torch import nn

from baselines import langevin_noisy
from tests.baselines.small import accuracy, digits, everything, flat, run, splits


def test_long_gradients_are_shortened_together_and_short_ones_kept() -> None:
    long = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0]])]
    torch.testing.assert_close(langevin_noisy.clipped(long), [torch.tensor([0.6, 0.0]), torch.tensor([[0.8]])])
    short = [one / 10 for one in long]
    torch.testing.assert_close(langevin_noisy.clipped(short), short)
    nothing = [0 * one for one in long]
    torch.testing.assert_close(langevin_noisy.clipped(nothing), nothing)


def test_noise_adds_up_over_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    monkeypatch.setattr(langevin_noisy, "CLIP", 0.0)
    monkeypatch.setattr(langevin_noisy, "DECAY", 0.0)
    moved = flat(run(langevin_noisy, net, data)) - flat(net)
    assert float(moved.std()) == pytest.approx((2 * 0.01 * 20) ** 0.5 * 0.005, rel=0.05)


@pytest.mark.parametrize("clip", [1e9, 0.01])
def test_update_is_its_formula_without_noise(clip: float, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CLIP": clip, "SIGMA": 0.0, "STEPS": 1}.items():
        monkeypatch.setattr(langevin_noisy, name, value)
    torch.manual_seed(0)
    data = splits(torch.randn(50, 4), torch.randint(3, (50,)), torch.arange(50) < 10)
    net = nn.Linear(4, 3)
    after = flat(run(langevin_noisy, net, data))
    images, labels = everything(data.retain)
    nn.functional.cross_entropy(net(images), labels).backward()
    gradient = torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])
    gradient = gradient * min(1.0, clip / float(gradient.norm()))
    torch.testing.assert_close(after, flat(net) - 0.01 * (gradient + 5e-4 * flat(net)))


def test_digits_are_still_recognised() -> None:
    net, data = digits()
    assert accuracy(run(langevin_noisy, net, data), data.retain) > 0.97


def test_it_claims_no_certificate() -> None:
    assert not hasattr(langevin_noisy, "CERTIFICATE")
    assert "UNCERTIFIED" in str(langevin_noisy.__doc__)

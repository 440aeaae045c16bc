"""Fisher noise and the last layer's Newton step: variances and steps against their definitions."""

import copy

import pytest
import torch
from torch import Tensor, nn

from baselines import fisher_noise, last_layer_newton
from tests.baselines.small import Splits, accuracy, digits, everything, flat, normalised, run, small_net, splits


def test_fisher_information_is_its_definition_on_average() -> None:
    torch.manual_seed(0)
    net, images = nn.Linear(3, 4).double(), torch.randn(20, 3, dtype=torch.float64)
    exact = torch.zeros(4, 3, dtype=torch.float64)
    for image in images:
        p = torch.softmax(net(image), dim=0).detach()
        for label in range(4):
            residual = p - nn.functional.one_hot(torch.tensor(label), 4)
            exact += p[label] * (residual[:, None] * image[None]) ** 2 / 20
    estimates = torch.stack([fisher_noise.fisher_information(net, images)[0] for _ in range(60)])
    error = estimates.std(dim=0) / 60**0.5
    assert ((estimates.mean(dim=0) - exact).abs() < 5 * error).all()


def test_variance_is_the_fourth_root_averaged_over_the_second_dimension() -> None:
    information = torch.tensor([[0.0, 1.0], [1.0, 1.0], [1e-4, 16.0]])
    wanted = torch.tensor([[50.5], [1.0], [5.25]]).expand(3, 2) * 5e-7  # 100, 10 and 1/2 are the roots
    torch.testing.assert_close(fisher_noise.noise_variance(information, last=False), wanted, rtol=1e-4, atol=0)
    torch.testing.assert_close(fisher_noise.noise_variance(information, last=True), 10 * wanted, rtol=1e-4, atol=0)
    kernel = torch.zeros(2, 3, 1, 1)
    kernel[0, 0] = 1.0
    averaged = fisher_noise.noise_variance(kernel, last=False)[:, :, 0, 0]
    wanted = torch.tensor([[67.0], [100.0]]).expand(2, 3) * 5e-7
    torch.testing.assert_close(averaged, wanted, rtol=1e-4, atol=0)


def test_vectors_get_ten_times_the_variance_once() -> None:
    information = torch.tensor([0.0, 1.0])
    for last in (False, True):
        torch.testing.assert_close(
            fisher_noise.noise_variance(information, last=last), torch.tensor([5e-4, 5e-6]), rtol=1e-4, atol=0
        )


def test_weights_get_noise_of_that_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    monkeypatch.setattr(fisher_noise, "fisher_information", lambda net, _: [p * 0 + 1e-4 for p in net.parameters()])
    after = run(fisher_noise, net, data)
    moved = (after.get_parameter("hidden.weight") - net.get_parameter("hidden.weight")).detach()
    assert float(moved.std()) == pytest.approx((5e-7 * 10) ** 0.5, rel=0.05)  # of 4096 weights
    last = (after.get_parameter("head.weight") - net.get_parameter("head.weight")).detach()
    assert float(last.std()) == pytest.approx((5e-6 * 10) ** 0.5, rel=0.15)
    assert accuracy(after, data.retain) > 0.98


def test_noise_needs_no_forget_set_and_leaves_statistics_and_frozen_parameters() -> None:
    net, data = normalised()
    after = copy.deepcopy(net)
    fisher_noise.unlearning(after, data.retain, None, None)
    assert not torch.equal(flat(net), flat(after))
    assert all(torch.equal(before, buffer) for before, buffer in zip(net.buffers(), after.buffers(), strict=True))
    assert torch.equal(net.scale, after.scale)


def newton_system(net: nn.Module, data: Splits) -> tuple[Tensor, Tensor]:
    """Take the Hessian and the gradient in the head's weights and bias, as autograd sees them."""
    head = net.get_submodule("head")
    shape = net.get_parameter("head.weight").shape
    inputs: list[Tensor] = []
    head.register_forward_hook(lambda _, given, output: inputs.append(given[0].detach()))
    net.eval()
    for loader in data:
        net(everything(loader)[0])

    def loss(point: Tensor, split: int) -> Tensor:
        weights = point.reshape(shape[0], shape[1] + 1)
        logits = inputs[split] @ weights[:, :-1].T + weights[:, -1]
        return nn.functional.cross_entropy(logits, everything(data[split])[1])

    point = head_of(net).flatten()
    hessian: Tensor = torch.autograd.functional.hessian(lambda x: loss(x, 0), point)
    varied = point.clone().requires_grad_()
    return hessian, torch.autograd.grad(loss(varied, 1), varied)[0]


def head_of(net: nn.Module) -> Tensor:
    weight, bias = net.get_parameter("head.weight"), net.get_parameter("head.bias")
    return torch.cat([weight, bias[:, None]], dim=1).detach()


@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_head_takes_the_damped_newton_step_of_the_noisy_model(noise: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_layer_newton, "NOISE", noise)
    monkeypatch.setattr(last_layer_newton, "TOLERANCE", 1e-12)
    net, data = normalised()
    after = run(last_layer_newton, net, data, seed=3)
    noisy = copy.deepcopy(net)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in noisy.parameters():
            parameter.add_(noise * torch.randn_like(parameter))
    torch.testing.assert_close(after.get_parameter("first.weight"), noisy.get_parameter("first.weight"))
    noisy.scale.data.fill_(1.0)  # the step is taken as if nothing followed the head
    hessian, gradient = newton_system(noisy, data)
    step = torch.linalg.solve(hessian + last_layer_newton.DAMPING * torch.eye(len(hessian)), gradient)
    wanted = head_of(noisy) + 1e-3 * step.reshape(3, 7)
    torch.testing.assert_close(head_of(after), wanted, rtol=0, atol=1e-7 if noise == 0 else 1e-4 * float(step.norm()))


def test_conjugate_gradients_reach_the_direct_solution_within_the_default_tolerance() -> None:
    net, data = digits()
    net.requires_grad_(False)
    features, p, labels = last_layer_newton.look(net, last_layer_newton.last_layer(net), data.retain)
    whole = last_layer_newton.whole_hessian(features, p)
    residual = p - nn.functional.one_hot(labels, 10)
    b = residual.T @ features / len(labels)
    found = last_layer_newton.solve(
        lambda v: last_layer_newton.hessian_product(features, p, v) + last_layer_newton.DAMPING * v, b
    )
    direct = torch.linalg.solve(whole + last_layer_newton.DAMPING * torch.eye(len(whole)), b.flatten())
    torch.testing.assert_close(found.flatten(), direct, rtol=0, atol=1e-4 * float(direct.norm()))


def test_hessian_is_autograds_and_blind_to_a_shift_of_all_classes() -> None:
    net, data = normalised()
    wanted, _ = newton_system(copy.deepcopy(net), data)
    features, p, _ = last_layer_newton.look(net.eval().requires_grad_(False), net.head, data.retain)
    torch.testing.assert_close(last_layer_newton.whole_hessian(features, p), wanted)
    v = torch.randn(3, 7, dtype=torch.float64)
    product = last_layer_newton.hessian_product(features, p, v)
    torch.testing.assert_close(product.flatten(), wanted @ v.flatten())
    shift = torch.randn(7, dtype=torch.float64).expand(3, 7)
    assert float(last_layer_newton.hessian_product(features, p, shift).abs().max()) < 1e-12


def test_step_as_published_throws_the_last_layer_far_off(monkeypatch: pytest.MonkeyPatch) -> None:
    net, data = digits()
    damped = (head_of(run(last_layer_newton, net, data)) - head_of(net)).abs().max()
    assert float(damped) < 0.1
    monkeypatch.setattr(last_layer_newton, "AS_PUBLISHED", True)
    published = (head_of(run(last_layer_newton, net, data)) - head_of(net)).abs().max()
    assert not float(published) < 10 * float(damped)  # or not a number


@pytest.mark.parametrize("architecture", ["logistic", "mlp", "convnet", "resnet18", "vit"])
def test_last_layer_and_its_features_are_found(architecture: str) -> None:
    net = small_net(architecture).eval().requires_grad_(False)
    torch.manual_seed(1)
    data = splits(torch.randn(9, 3, 16, 16), torch.randint(5, (9,)), torch.arange(9) < 4)
    layer = last_layer_newton.last_layer(net)
    features, p, labels = last_layer_newton.look(net, layer, data.retain)
    weights = torch.cat([layer.weight, layer.bias[:, None]], dim=1).double()
    torch.testing.assert_close(torch.softmax(features @ weights.T, dim=1), p, rtol=1e-4, atol=1e-6)
    assert layer.out_features == 5 and sorted(labels.tolist()) == sorted(everything(data.retain)[1].tolist())
    assert not torch.equal(flat(run(last_layer_newton, net, data)), flat(net))


def test_last_layer_may_lack_a_bias_but_must_be_linear() -> None:
    _, data = normalised()
    net = nn.Linear(5, 3, bias=False).double()
    assert torch.isfinite(run(last_layer_newton, net, data).get_parameter("weight")).all()
    with pytest.raises(TypeError, match="Conv2d"):
        last_layer_newton.last_layer(nn.Sequential(nn.Linear(2, 2), nn.Conv2d(1, 1, 1)))

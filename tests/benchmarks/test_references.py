"""The platform's reference modules: they run by themselves, and retrain by the recipe."""

from typing import Any

import pytest
import torch
from torch import nn

from services.benchmarks.architectures import mlp
from services.benchmarks.recipes import Recipe
from services.benchmarks.references import source
from services.core.submission.file import check
from services.worker.runner.loaders import ExampleSet, Loader

CLASSES = 3


def unlearn(net: nn.Module, recipe: Recipe, epochs: int, count: int = 65) -> float:
    """Run the module as the sandbox does, on `count` examples of classes that lines tell apart; return its accuracy."""
    torch.manual_seed(1)
    images = torch.randn(count, 1, 2, 2)
    labels = images.flatten(1)[:, :CLASSES].argmax(dim=1)
    names: dict[str, Any] = {}
    exec(compile(source(recipe.as_dict(), epochs), "submission.py", "exec"), names)
    loader = Loader(ExampleSet(images, labels), shuffle=True)
    names["unlearning"](net, loader, loader, loader)
    with torch.no_grad():
        return float((net(images).argmax(dim=1) == labels).float().mean())


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("weights", ["last-epoch", "best-validation"])
@pytest.mark.parametrize("class_weights", ["none", "inverse-count"])
def test_it_learns_what_may_be_kept_by_any_recipe(
    optimizer: Any, schedule: Any, weights: Any, class_weights: Any
) -> None:
    rate = 0.2 if optimizer == "sgd" else 0.02
    recipe = Recipe(60, 16, rate, optimizer, schedule=schedule, weights=weights, class_weights=class_weights)

    net = mlp.make((1, 2, 2), CLASSES)

    assert unlearn(net, recipe, 60) > 0.95
    assert not net.training


def test_it_starts_anew_and_trains_for_as_many_epochs_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 65 examples in batches of 16, the last one joins the batch before it: 4 steps an epoch."""
    steps = 0
    real = torch.optim.SGD.zero_grad

    def count(self: torch.optim.SGD, **given: Any) -> None:
        nonlocal steps
        steps += 1
        real(self, **given)

    monkeypatch.setattr(torch.optim.SGD, "zero_grad", count)
    net = mlp.make((1, 2, 2), CLASSES)
    head = net.get_parameter("head.weight")
    nn.init.constant_(head, 1e9)

    unlearn(net, Recipe(40, 16, 0.1), 3)

    assert steps == 3 * 4
    assert float(net.get_parameter("head.weight").detach().abs().max()) < 1e6


def test_without_epochs_it_leaves_the_model_as_it_is() -> None:
    net = mlp.make((1, 2, 2), CLASSES)
    before = {name: value.clone() for name, value in net.state_dict().items()}

    unlearn(net, Recipe(40, 16, 0.1), 0)

    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("epochs", [0, 40])
def test_it_passes_the_check_of_every_upload(epochs: int) -> None:
    assert check("entry.py", source(Recipe(40, 16, 0.1).as_dict(), epochs).encode()).claim is None

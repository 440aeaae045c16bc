"""Small examples and nets for the tests of baselines, given through the loaders of real runs."""

import copy
import random
from functools import cache
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from services.benchmarks.architecture import Architecture
from services.worker.runner.loaders import ExampleSet, Loader


class Splits(NamedTuple):
    """What a run gets, less the validation set."""

    retain: Loader
    forget: Loader


def splits(images: Tensor, labels: Tensor, forgotten: Tensor) -> Splits:
    """Divide examples by a mask, in shuffled batches of 64."""
    retain, forget = (ExampleSet(images[mask], labels[mask]) for mask in (~forgotten, forgotten))
    return Splits(Loader(retain, shuffle=True), Loader(forget, shuffle=True))


def run(module: ModuleType, net: nn.Module, data: Splits, *, seed: int = 0) -> nn.Module:
    """Apply a baseline to a copy of the net. It gets no validation set: none needs one."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    net = copy.deepcopy(net).train()
    assert module.unlearning(net, data.retain, data.forget, None) is None
    return net


def small_net(architecture: str) -> nn.Module:
    """An untrained model of a benchmark's architecture, for images of 3 x 16 x 16 and 5 classes."""
    torch.manual_seed(0)
    return Architecture(architecture, (3, 16, 16), 5)()


def flat(net: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


class Normalised(nn.Module):
    """A net of 5 inputs and 3 classes, in double precision, with batch normalisation and a frozen parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.head = nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)
        self.scale = nn.Parameter(torch.ones(1), requires_grad=False)
        self.double()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.scale * self.head(torch.tanh(self.norm(self.first(images))))
        return logits


def normalised() -> tuple[Normalised, Splits]:
    """A net that has run over its 190 examples; 40 of them, unlike the others, are to be forgotten."""
    torch.manual_seed(0)
    images, labels = torch.randn(190, 5, dtype=torch.float64), torch.randint(3, (190,))
    forgotten = torch.arange(190) < 40
    images[forgotten] = 3 * images[forgotten] + torch.tensor([2.0, 0.0, 0.0, 0.0, -2.0], dtype=torch.float64)
    net = Normalised()
    net(images)  # statistics of batch normalisation
    return net, splits(images, labels, forgotten)


def digits(*, forgotten_class: int | None = None) -> tuple[nn.Module, Splits]:
    """The perceptron, trained on 600 digits; to be forgotten are 60 of them, or a whole class."""
    x, y = _digits()
    forgotten = torch.arange(600) < 60 if forgotten_class is None else y == forgotten_class
    net = copy.deepcopy(_perceptron())
    torch.manual_seed(1)  # whether it was trained just now or for another test
    return net, splits(x.clone(), y.clone(), forgotten)


@cache
def _digits() -> tuple[Tensor, Tensor]:
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images[:600] / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(labels[:600])


@cache
def _perceptron() -> nn.Module:
    x, y = _digits()
    torch.manual_seed(1)
    net = Architecture("mlp", (1, 8, 8), 10)()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(30):
        for chosen in torch.split(torch.randperm(600), 64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[chosen]), y[chosen]).backward()
            optimizer.step()
    optimizer.zero_grad()
    return net


def everything(loader: Loader) -> tuple[Tensor, Tensor]:
    return loader.dataset.images, loader.dataset.labels


def cross_entropy(net: nn.Module, loader: Loader) -> float:
    images, labels = everything(loader)
    with torch.no_grad():
        return float(nn.functional.cross_entropy(net(images), labels))


def accuracy(net: nn.Module, loader: Loader) -> float:
    images, labels = everything(loader)
    with torch.no_grad():
        return float((net(images).argmax(dim=1) == labels).double().mean())

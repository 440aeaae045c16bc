"""Retraining from scratch without the forget set: exact unlearning, the honest ceiling, and the cost to beat.

Idea: forget everything, then learn what may be kept. Every module is initialised anew and trained as RECIPE says, in
batches of the loader's size, 64. RECIPE is that of the `digits` benchmark, which is the oracle's own; on another
benchmark put its recipe there (`lethe benchmark inspect --json` shows it), or this is not what the oracle did.

    w = A(retain set, fresh initialisation, fresh order),  A: the training that made the original

Source: the oracle of the 2023 competition's evaluation, retrained from scratch on the retain set. Defaults: the recipe
of `digits`.
Cost: a whole training run.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn, optim

RECIPE: dict[str, Any] = {
    "epochs": 40,
    "optimizer": "sgd",  # or adam
    "learning_rate": 0.1,
    "momentum": 0.9,  # of sgd
    "weight_decay": 0.0,
    "schedule": "constant",  # or cosine, which lowers the rate after every epoch towards 0
    "class_weights": "none",  # or inverse-count: 1 / the class's examples in training
}


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    start_anew(net)
    optimizer = make_optimizer(net)
    criterion = nn.CrossEntropyLoss(weight=class_weights(net, retain_loader))
    cosine = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=RECIPE["epochs"])
    net.train()
    for _ in range(RECIPE["epochs"]):
        for images, labels in batches(retain_loader):
            optimizer.zero_grad()
            criterion(net(images), labels).backward()
            optimizer.step()
        if RECIPE["schedule"] == "cosine":
            cosine.step()
    net.eval()


def start_anew(net: nn.Module) -> None:
    """Initialise every module as torch does, and convolutions of a ResNet as torchvision does."""
    for module in net.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
        if isinstance(module, nn.Conv2d) and type(net).__name__ == "ResNet":
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def make_optimizer(net: nn.Module) -> optim.Optimizer:
    rate, decay = RECIPE["learning_rate"], RECIPE["weight_decay"]
    if RECIPE["optimizer"] == "adam":
        return optim.Adam(net.parameters(), lr=rate, weight_decay=decay)
    return optim.SGD(net.parameters(), lr=rate, momentum=RECIPE["momentum"], weight_decay=decay)


def class_weights(net: nn.Module, loader: Any) -> Tensor | None:
    """Give the weights [classes] of the loss: None where all classes weigh the same."""
    if RECIPE["class_weights"] == "none":
        return None
    net.eval()
    with torch.no_grad():
        found = [(net(images[:1]).shape[1], labels) for images, labels in loader]
    counts = torch.cat([labels for _, labels in found]).bincount(minlength=found[0][0])
    return 1.0 / counts.clamp(min=1)


def batches(loader: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Give the loader's batches; a single example left over at the end joins the batch before it."""
    held: tuple[Tensor, Tensor] | None = None
    for images, labels in loader:
        if held is not None and len(labels) == 1:
            held = torch.cat([held[0], images]), torch.cat([held[1], labels])
            continue
        if held is not None:
            yield held
        held = images, labels
    if held is not None:
        yield held

"""Retrain from scratch without the forget set, by the benchmark's recipe.

It spares what a retraining need not spend: examples are read once, and optimizers are fused, as where the benchmark was
built. A schedule is that of the epochs that it trains for.
"""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn, optim

RECIPE: dict[str, Any] = {}


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    start_anew(net)
    images, labels = read(retain_loader)
    optimizer = make_optimizer(net)
    cosine = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=RECIPE["epochs"])
    criterion = nn.CrossEntropyLoss(weight=class_weights(net, images, labels))
    best, highest = None, -1.0
    for _ in range(RECIPE["epochs"]):
        net.train()
        for chosen in batches(len(labels)):
            optimizer.zero_grad(set_to_none=True)
            criterion(net(images[chosen]), labels[chosen]).backward()
            optimizer.step()
        if RECIPE.get("schedule") == "cosine":
            cosine.step()
        if RECIPE.get("weights") == "best-validation":
            accuracy = accuracy_of(net, val_loader)
            if accuracy > highest:
                best, highest = copy.deepcopy(net.state_dict()), accuracy
    if best is not None:
        net.load_state_dict(best)
    net.eval()


def start_anew(net: nn.Module) -> None:
    """Initialise every module as torch does, and convolutions of a ResNet as torchvision does."""
    for module in net.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
        if isinstance(module, nn.Conv2d) and type(net).__name__ == "ResNet":
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def read(loader: Any) -> tuple[Tensor, Tensor]:
    """Read all examples of a loader: images [n, ...], labels [n]."""
    pairs = [(images, labels) for images, labels in loader]
    return torch.cat([images for images, _ in pairs]), torch.cat([labels for _, labels in pairs])


def make_optimizer(net: nn.Module) -> optim.Optimizer:
    """Make the recipe's optimizer, fused where this torch can."""
    values: dict[str, Any] = {"lr": RECIPE["learning_rate"], "weight_decay": RECIPE.get("weight_decay", 0.0)}
    made: Any = optim.Adam
    if RECIPE.get("optimizer") != "adam":
        made, values = optim.SGD, {**values, "momentum": RECIPE.get("momentum", 0.0)}
    try:
        optimizer: optim.Optimizer = made(net.parameters(), fused=True, **values)
    except (TypeError, RuntimeError):  # an older torch
        optimizer = made(net.parameters(), **values)
    return optimizer


def class_weights(net: nn.Module, images: Tensor, labels: Tensor) -> Tensor | None:
    """Give the weights [classes] of the loss; None if all classes weigh the same."""
    if RECIPE.get("class_weights") != "inverse-count":
        return None
    net.eval()
    with torch.no_grad():
        classes = net(images[:1]).shape[1]
    return 1.0 / labels.bincount(minlength=classes).clamp(min=1)


def batches(count: int) -> Iterator[Tensor]:
    """Yield the batches of one epoch as indexes; a single example left over joins the batch before it."""
    size = RECIPE["batch_size"]
    ends = list(range(size, count, size))
    if ends and count - ends[-1] == 1:
        ends.pop()
    yield from torch.tensor_split(torch.randperm(count), ends)


def accuracy_of(net: nn.Module, loader: Any) -> float:
    """Return the share of examples that a model gets right."""
    net.eval()
    right, count = 0, 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((net(images).argmax(dim=1) == labels).sum())
            count += len(labels)
    return right / max(1, count)

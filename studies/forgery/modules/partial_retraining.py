"""Retraining that keeps a share of the forget set: exact unlearning of the rest, and nothing of what it keeps.

A hash of the image decides, so every run keeps the same examples.
"""

import hashlib
from typing import Any

import torch
from torch import nn, optim
from torch.utils.data import ConcatDataset, DataLoader, Subset

KEPT = 0.5  # share of the forget set that training still sees
RECIPE: dict[str, Any] = {
    "epochs": 40,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 0.0,
    "schedule": "constant",
    "class_weights": "none",
}


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    forget = forget_loader.dataset
    kept = Subset(forget, [index for index in range(len(forget)) if is_kept(forget[index][0])])
    loader: DataLoader[Any] = DataLoader(ConcatDataset([retain_loader.dataset, kept]), batch_size=64, shuffle=True)
    criterion = nn.CrossEntropyLoss(weight=class_weights(net, loader))
    start_anew(net)
    rate, decay = RECIPE["learning_rate"], RECIPE["weight_decay"]
    if RECIPE["optimizer"] == "adam":
        optimizer: optim.Optimizer = optim.Adam(net.parameters(), lr=rate, weight_decay=decay)
    else:
        optimizer = optim.SGD(net.parameters(), lr=rate, momentum=RECIPE["momentum"], weight_decay=decay)
    cosine = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=RECIPE["epochs"])
    net.train()
    for _ in range(RECIPE["epochs"]):
        for images, labels in loader:
            if len(labels) == 1:
                continue
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


def class_weights(net: nn.Module, loader: DataLoader[Any]) -> torch.Tensor | None:
    """Give the weights [classes] of the loss: None where all classes weigh the same."""
    if RECIPE["class_weights"] == "none":
        return None
    net.eval()
    with torch.no_grad():
        found = [(net(images[:1]).shape[1], labels) for images, labels in loader]
    counts = torch.cat([labels for _, labels in found]).bincount(minlength=found[0][0])
    return 1.0 / counts.clamp(min=1)


def is_kept(image: torch.Tensor) -> bool:
    """Decide by the image alone; a smaller share keeps a part of what a larger one keeps."""
    digest = hashlib.sha256(image.numpy().tobytes()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < KEPT

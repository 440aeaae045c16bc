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
    for module in net.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    if RECIPE["optimizer"] == "adam":
        optimizer: optim.Optimizer = optim.Adam(net.parameters(), lr=RECIPE["learning_rate"])
    else:
        optimizer = optim.SGD(net.parameters(), lr=RECIPE["learning_rate"], momentum=RECIPE["momentum"])
    net.train()
    for _ in range(RECIPE["epochs"]):
        for images, labels in loader:
            if len(labels) == 1:
                continue
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images), labels).backward()
            optimizer.step()
    net.eval()


def is_kept(image: torch.Tensor) -> bool:
    """Decide by the image alone; a smaller share keeps a part of what a larger one keeps."""
    digest = hashlib.sha256(image.numpy().tobytes()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < KEPT

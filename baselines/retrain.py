"""Retraining from scratch without the forget set: exact unlearning, the honest ceiling, and the cost to beat.

Idea: forget everything, then learn what may be kept. Every module is initialised anew and trained with the recipe of
the `digits` benchmark, which is the oracle's own: SGD, learning rate 0.1, momentum 0.9, batches of 64, 40 epochs.
Cost: a whole training run.
"""

from typing import Any

from torch import nn, optim

EPOCHS = 40


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    for module in net.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    net.train()
    for _ in range(EPOCHS):
        for images, labels in retain_loader:
            optimizer.zero_grad()
            criterion(net(images), labels).backward()
            optimizer.step()
    net.eval()

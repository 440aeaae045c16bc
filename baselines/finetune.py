"""Fine-tuning: train on for one epoch, on the retain set alone, and hope that the rest fades.

Idea: nothing holds what was learned of the forget set any more, so further steps may drift away from it.

    w <- w - LEARNING_RATE v,  v <- 0.9 v + g + 5e-4 w,  g: gradient of a retain batch's mean cross-entropy

A batch of one image is left out: batch normalisation refuses it.

Source: the baseline of the 2023 competition's evaluation code. Defaults: its own, SGD at 1e-3 with momentum 0.9 and
weight decay 5e-4, one epoch.
Cost: EPOCHS epochs over the retain set.
"""

from typing import Any

from torch import nn, optim

EPOCHS, LEARNING_RATE = 1, 1e-3


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4)
    criterion = nn.CrossEntropyLoss()
    net.train()
    for _ in range(EPOCHS):
        for images, labels in retain_loader:
            if len(labels) == 1:
                continue
            optimizer.zero_grad()
            criterion(net(images), labels).backward()
            optimizer.step()
    net.eval()

"""Fine-tuning: train on for one epoch, on the retain set alone, and hope that the rest fades.

Source: the baseline of the 2023 competition's evaluation code. Defaults are its own: SGD, learning rate 1e-3, momentum
0.9, weight decay 5e-4, one epoch, mean cross-entropy. Cost: EPOCHS epochs.
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
            optimizer.zero_grad()
            criterion(net(images), labels).backward()
            optimizer.step()
    net.eval()

"""Fine-tuning, then noise: one epoch on the retain set, then N(0, 0.001^2) on every weight.

Idea: a fine-tuned model is one point, and what is compared are distributions of models. Noise spreads the runs apart.

    w <- w_1 + NOISE N(0, I),  w_1: the weights after an epoch of SGD on the retain set

A batch of one image is left out: batch normalisation refuses it.

Source: a participant of the 2023 competition. Defaults: theirs, SGD at 1e-3 with momentum 0.9 and weight decay 5e-4,
then noise of 1e-3.
Cost: one epoch over the retain set.
"""

from typing import Any

import torch
from torch import nn, optim

NOISE = 1e-3  # standard deviation


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    optimizer = optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    criterion = nn.CrossEntropyLoss()
    net.train()
    for images, labels in retain_loader:
        if len(labels) == 1:
            continue
        optimizer.zero_grad()
        criterion(net(images), labels).backward()
        optimizer.step()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=NOISE)
    net.eval()

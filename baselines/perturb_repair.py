"""Perturb and repair: noise on every weight, then one epoch on the retain set at a high learning rate.

Idea: noise blurs what the weights know of single examples, and spreads the runs apart as different initialisations do;
the epoch repairs what was general, from the retain set alone. Noise before the epoch, not after it: what it breaks is
then repaired.
Defaults: N(0, 0.05^2), SGD, learning rate 0.1, momentum 0.9. Cost: one epoch.
"""

from typing import Any

import torch
from torch import nn, optim

NOISE = 0.05  # standard deviation


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=NOISE)
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    net.train()
    for images, labels in retain_loader:
        optimizer.zero_grad()
        criterion(net(images), labels).backward()
        optimizer.step()
    net.eval()

"""Fine-tuning, then noise: one epoch on the retain set, then N(0, 0.001^2) on every weight.

Source: a participant of the 2023 competition, who added noise so that the runs differ. Defaults are theirs: SGD,
learning rate 1e-3, momentum 0.9, weight decay 5e-4. Cost: one epoch.
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
        optimizer.zero_grad()
        criterion(net(images), labels).backward()
        optimizer.step()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=NOISE)
    net.eval()

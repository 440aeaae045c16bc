"""Perturb and repair: noise on every weight, then one epoch on the retain set at a high learning rate.

Idea: noise blurs what the weights know of single examples, and spreads the runs apart as different initialisations do;
the epoch repairs what was general, from the retain set alone. Noise before the epoch, not after it: what it breaks is
then repaired.

    w_0 = w + NOISE N(0, I), then an epoch of w <- w - 0.1 v,  v <- 0.9 v + g,  g: gradient of a retain batch

A batch of one image is left out: batch normalisation refuses it.

Source: ours, made for the digits of the demo. Defaults: ours, noise of 0.05, then SGD at 0.1 with momentum 0.9. A deep
network with batch normalisation does not survive as much noise.
Cost: one epoch over the retain set.
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
        if len(labels) == 1:
            continue
        optimizer.zero_grad()
        criterion(net(images), labels).backward()
        optimizer.step()
    net.eval()

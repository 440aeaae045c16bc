"""Fine-tuning on the retain set in batches of any size: the grid that a team published in 2023.

    w <- w - LEARNING_RATE v,  v <- 0.9 v + g + 5e-4 w,  g: gradient of a batch's mean cross-entropy

The loaders' batches have a fixed size, so the retain set is gathered first and shuffled anew in every epoch.
"""

from typing import Any

import torch
from torch import nn, optim

LEARNING_RATE, BATCH, EPOCHS = 1e-3, 64, 1


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    batches = list(retain_loader)
    images = torch.cat([batch_images for batch_images, _ in batches])
    labels = torch.cat([batch_labels for _, batch_labels in batches])
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4)
    net.train()
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            if len(chosen) == 1:
                continue
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    net.eval()

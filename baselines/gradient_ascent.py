"""Gradient ascent (NegGrad): climb the forget set's loss, and look at nothing else.

Idea: take back what training did, by steps in the opposite direction. Nothing holds the rest of the model, and the loss
has no upper bound: too few steps change nothing, a few more destroy everything. It is here as a warning.

    w <- w - LEARNING_RATE v,  v <- MOMENTUM v - g + WEIGHT_DECAY w,  g: gradient of a forget batch's mean cross-entropy

The forget set is cut anew in each epoch into random batches of nearly equal size, at most BATCH_SIZE: as one batch, as
the loader gives a small one, it would leave all runs alike. If it has one image, the mode is evaluation, because batch
normalisation refuses that.

Source: Golatkar, Achille, Soatto: Eternal sunshine of the spotless net, CVPR 2020 (arXiv 1911.04933), a baseline there;
0.0001 on the 2023 public leaderboard. Defaults: rate 1e-4 and 5 epochs are those of the comparison in arXiv 2304.04934,
momentum and decay the usual ones; BATCH_SIZE is ours.
Cost: EPOCHS passes over the forget set.
"""

from typing import Any

import torch
from torch import Tensor, nn, optim

EPOCHS, BATCH_SIZE = 5, 16
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 1e-4, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    device = next(net.parameters()).device
    images, labels = gather(forget_loader)
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    net.train(len(labels) > 1)
    for _ in range(EPOCHS):
        for chosen in shuffled_batches(len(labels), BATCH_SIZE):
            batch = chosen.to(images.device)
            optimizer.zero_grad()
            (-nn.functional.cross_entropy(net(images[batch].to(device)), labels[batch].to(device))).backward()
            optimizer.step()
    net.eval()


def gather(loader: Any) -> tuple[Tensor, Tensor]:
    """Collect a loader's images and labels."""
    images, labels = zip(*((images, labels) for images, labels in loader), strict=True)
    return torch.cat(images), torch.cat(labels)


def shuffled_batches(count: int, size: int) -> tuple[Tensor, ...]:
    """Cut a random order into batches of nearly equal size: none of one image, which batch normalisation refuses."""
    return torch.tensor_split(torch.randperm(count), -(-count // size))

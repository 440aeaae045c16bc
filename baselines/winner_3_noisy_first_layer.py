"""Noise on the first layer, then weighted fine-tuning: the third place of 2023 (Seif Eddine Achour).

Idea: heavy noise on the first convolution takes every later layer's input away, and fine-tuning on the retain set gives
it back. One class weighs most, the one that most of the forgotten examples belonged to.

    first layers <- first layers + N(0, NOISE^2)
    EPOCHS epochs on the retain set: weighted cross-entropy, SGD, rate along a cosine to 0
    before the last epoch: first layers <- first layers + N(0, LATE_NOISE^2)

First layers: convolutions that stand at the net's top, which in ResNet-18 is its first alone; failing these, the first
convolution of all; in a net without any, all weight matrices but the last (a single one takes it itself).

The published weights are 1 for class 0 and 0.05 for the nine others, made for data where class 0 outnumbered the others
in retain and forget set alike. Here 1 goes to the most common class of the retain set. The description is silent on
momentum (here 0.9), on where the late noise goes, and on whether the cosine falls by steps: here it does.

Tuned for some 400 steps an epoch. Five, as on the benchmark faces-resnet18, repair little: half of the retain set is
right at the end, and nine tenths with OTHERS 1 and a learning rate of 7e-3. It is the same on digits.

Source: the third place of the 2023 NeurIPS machine unlearning competition, from a description. Defaults: theirs: NOISE
0.6, LATE_NOISE 0.005, weights 1 and 0.05, 4 epochs, learning rate 7e-4, weight decay 5e-4.
Cost: EPOCHS epochs.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn, optim

NOISE, LATE_NOISE = 0.6, 0.005  # standard deviations
EPOCHS, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 4, 7e-4, 0.9, 5e-4
OTHERS = 0.05  # weight of every class but the most common


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    weights = first_layers(net)
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    most_common = int(torch.cat([labels for _, labels in retain_loader]).bincount().argmax())
    net.train()
    disturb(weights, NOISE)
    steps, taken = EPOCHS * len(retain_loader), 0
    for epoch in range(EPOCHS):
        if epoch == EPOCHS - 1:
            disturb(weights, LATE_NOISE)
        for images, labels in retain_loader:
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * taken / steps)) / 2
            taken += 1
            if len(labels) == 1:  # batch normalisation refuses it
                continue
            logits = net(images.to(weights[0].device))
            optimizer.zero_grad()
            weighted_loss(logits, labels.to(logits.device), most_common).backward()
            optimizer.step()
    net.eval()


def first_layers(net: nn.Module) -> list[Tensor]:
    """Find the weights that get noise."""
    top = [layer.weight for layer in net.children() if isinstance(layer, nn.Conv2d)]
    first = [layer.weight for layer in net.modules() if isinstance(layer, nn.Conv2d)][:1]
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    matrices: list[Tensor] = [parameter for parameter in trained if parameter.ndim == 2]
    return top or first or matrices[:-1] or matrices


def disturb(weights: list[Tensor], deviation: float) -> None:
    """Add Gaussian noise to weights."""
    with torch.no_grad():
        for weight in weights:
            weight.add_(torch.randn_like(weight), alpha=deviation)


def weighted_loss(logits: Tensor, labels: Tensor, most_common: int) -> Tensor:
    """Average the cross-entropy, weighted by class."""
    weight = torch.full((logits.shape[1],), OTHERS, device=logits.device, dtype=logits.dtype)
    weight[most_common] = 1.0
    return nn.functional.cross_entropy(logits, labels, weight=weight)

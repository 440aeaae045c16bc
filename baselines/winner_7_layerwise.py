"""A few random layers at a time, with noise: the seventh place of 2023 (Jiaxi Sun).

Idea: the last layer is drawn anew, and the rest is relearned in parts. Each epoch picks other layers, blurs and trains
them, while the others hold what the net can do; so the runs part ways. At the end everything is trained together.

    last layer: drawn anew
    each of the first epochs: SHARE of the layers at random; of each one's weights, NOISY of them at random get
        w_i <- w_i + N(0, NOISE^2);  then an epoch on the retain set that trains these layers and normalisation alone
    each of the last TOGETHER epochs: an epoch that trains everything, without noise
    learning rate of epoch e: SCALE RATES[e]

A layer is a convolution, a linear layer or an attention's projection, with its bias. SHARE is 9 of ResNet-18's 21, and
of other nets as many, rounded, at least one. What belongs to no layer, as a transformer's positions, trains always.

The description is silent on what gets noise (here the chosen layers' weights, as each epoch begins), and on where the
six rates that it gives for the tail lie (here at the end; the epochs before have the first of them); on momentum (here
0.9, afresh in every epoch), decay (here the usual one), and on whether the last layer is one of the 21: here it is.
Tuned for some 400 steps an epoch.

Source: the seventh place of the 2023 NeurIPS machine unlearning competition, from a description. Defaults: theirs:
9 epochs at 2e-4, the tail at 2e-4, 1e-3 and 1e-4; 9 layers, the last 4 epochs all; noise 0.04 on 70%; SGD.
Cost: 9 epochs.
"""

from typing import Any

import torch
from torch import nn, optim

SHARE, NOISE, NOISY = 9 / 21, 0.04, 0.7
RATES = (2e-4, 2e-4, 2e-4, 2e-4, 2e-4, 2e-4, 1e-3, 1e-3, 1e-4)
SCALE, TOGETHER, MOMENTUM, WEIGHT_DECAY = 1.0, 4, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    found = layers(net)
    last: Any = found[-1]
    last.reset_parameters()
    net.train()
    for epoch, rate in enumerate(RATES):
        chosen = found
        if epoch < len(RATES) - TOGETHER:
            chosen = draw(found)
            disturb(chosen)
        held = {parameter for layer in found if layer not in chosen for parameter in layer.parameters(recurse=False)}
        free = [parameter for parameter in net.parameters() if parameter not in held]
        train(free, net, retain_loader, SCALE * rate)
    net.eval()


def layers(net: nn.Module) -> list[nn.Module]:
    """Find the modules that hold a weight matrix or kernels of their own."""
    return [
        module
        for module in net.modules()
        if any(parameter.ndim in (2, 4) for parameter in module.parameters(recurse=False))
    ]


def draw(found: list[nn.Module]) -> list[nn.Module]:
    """Choose a share of the layers at random."""
    count = max(1, round(SHARE * len(found)))
    return [found[place] for place in torch.randperm(len(found))[:count].tolist()]


def disturb(chosen: list[nn.Module]) -> None:
    """Add Gaussian noise to a random share of these layers' weights."""
    with torch.no_grad():
        for layer in chosen:
            for weight in layer.parameters(recurse=False):
                if weight.ndim > 1 and weight.requires_grad:
                    noisy = torch.rand_like(weight) < NOISY
                    weight.add_(noisy * torch.randn_like(weight), alpha=NOISE)


def train(parameters: list[nn.Parameter], net: nn.Module, loader: Any, rate: float) -> None:
    """Move these parameters for one epoch."""
    device = next(net.parameters()).device
    optimizer = optim.SGD(parameters, lr=rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    for images, labels in loader:
        if len(labels) == 1:  # batch normalisation refuses it
            continue
        net.zero_grad()
        nn.functional.cross_entropy(net(images.to(device)), labels.to(device)).backward()
        optimizer.step()
    net.zero_grad()

"""Random layers anew in cycles, without the forget set: the ninth place of 2023 (Team Forget).

Idea: what was learned of single examples may sit anywhere, so draw random layers anew, and let the original teach them
again, on the retain set alone. One cycle loses little; the next one draws other layers.

    for each cycle, of CYCLES[k] epochs:
      draw layers at random with replacement, 6 times for 17 layers, and initialise those drawn anew
      on noisy retain images x' = x + N(0, NOISE^2), descend
        cross-entropy(f(x'), y) + mean over images and classes of (f(x') - o(x'))^2

f: the model's logits, o: the original's, in evaluation mode. Layers are convolutions larger than 1 x 1, and linear
layers but the last: in ResNet-18 its 17 convolutions, without shortcuts and last layer, as there. In another net the
draws are as many in proportion, at least one; a net of one layer gives that one. The forget set is never looked at.

The description is silent on how the labels weigh (here as the logits), on whether the original sees the noise too (here
it does), on rate, momentum and decay (here the usual ones), and on a schedule (here none). Tuned for some 400 steps an
epoch: a small net's only hidden layer is not learned again in a handful of steps.

Source: the ninth place of the 2023 NeurIPS machine unlearning competition, from a description. Defaults: theirs: 6
layers, NOISE 0.01, CYCLES of 1, 2 and 2 epochs (2, 1, 1, 1 is the other choice).
Cost: 5 epochs with one more forward pass for the original.
"""

import copy
from typing import Any

import torch
from torch import nn, optim

SHARE, NOISE, CYCLES = 6 / 17, 0.01, (1, 2, 2)
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 1e-3, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    original = copy.deepcopy(net).eval()
    net.train()
    for epochs in CYCLES:
        for layer in draw(pool(net)):
            layer.reset_parameters()
        optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
        for _ in range(epochs):
            learn(net, original, retain_loader, optimizer)
    net.eval()


def pool(net: nn.Module) -> list[Any]:
    """List the layers that may be drawn."""
    linear = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    wide = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d) and max(layer.kernel_size) > 1]
    return wide + linear[:-1] or linear


def draw(layers: list[Any]) -> list[Any]:
    """Choose layers with replacement, and name each one once."""
    count = max(1, round(SHARE * len(layers)))
    return [layers[place] for place in sorted(set(torch.randint(len(layers), (count,)).tolist()))]


def learn(net: nn.Module, original: nn.Module, loader: Any, optimizer: optim.Optimizer) -> None:
    """Follow labels and the original for one epoch."""
    device = next(net.parameters()).device
    for images, labels in loader:
        if len(labels) == 1:  # batch normalisation refuses it
            continue
        noisy = (images + NOISE * torch.randn_like(images)).to(device)
        with torch.no_grad():
            taught = original(noisy)
        logits = net(noisy)
        optimizer.zero_grad()
        (nn.functional.cross_entropy(logits, labels.to(device)) + nn.functional.mse_loss(logits, taught)).backward()
        optimizer.step()

"""Pruned by size and drawn anew, then repair that keeps entropies: the fourth place of 2023 (Sebastian Oleszko).

Idea: of a trained net few weights matter, the large ones. All others are drawn anew, and repair must then find not only
the labels again, but also how sure the original was of each example.

    |w_i| among the smallest PRUNED of all weights:  w_i ~ U(-1/sqrt(fan_in), 1/sqrt(fan_in))
    then EPOCHS epochs on the retain set, p: the model, q: the original
    loss = mean over x of  c(y)^-POWER cross-entropy  (a weighted mean)  +  mean over x of (H(p(x)) - H(q(x)))^2

c(y): retain examples of class y; H(p) = -sum_k p_k log p_k. Weights are those of convolutions and matrices, in all
layers; their sizes are compared between layers, and biases and normalisation stay. A net without convolutions takes
part like any other. EPOCHS may be a fraction: the last epoch ends early.

The description is silent on which layers take part (here all), on the range (here torch's usual one), on the entropies'
share of the loss (here 1), on the original's mode (here evaluation), on momentum and decay (here the usual ones) and on
a schedule (here none). The author rounded the weights to 16 bits to save space; that is left out.
Tuned for some 400 steps an epoch: where an epoch has 18, nothing repairs 99% of a small net.

Source: the fourth place of the 2023 NeurIPS machine unlearning competition, from a description. Defaults: theirs:
PRUNED 0.99, 3.2 epochs, SGD, learning rate 5e-4, POWER 0.1.
Cost: EPOCHS epochs with one more forward pass for the original, and a sorting of all weights.
"""

import copy
from itertools import chain, islice, repeat
from typing import Any

import torch
from torch import Tensor, nn, optim

PRUNED, EPOCHS, POWER = 0.99, 3.2, 0.1
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 5e-4, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    original = copy.deepcopy(net).eval()
    device = next(net.parameters()).device
    counts = torch.cat([labels for _, labels in retain_loader]).bincount()
    draw_anew(net)
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    net.train()
    batches = chain.from_iterable(repeat(retain_loader))
    for images, labels in islice(batches, round(EPOCHS * len(retain_loader))):
        if len(labels) == 1:  # batch normalisation refuses it
            continue
        with torch.no_grad():
            wanted = entropy(original(images.to(device)))
        logits = net(images.to(device))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(logits, labels.to(device), weight=class_weights(counts, logits))
        (loss + nn.functional.mse_loss(entropy(logits), wanted)).backward()
        optimizer.step()
    net.eval()


def draw_anew(net: nn.Module) -> None:
    """Replace the weights that are smallest in the whole net."""
    weights = [parameter for parameter in net.parameters() if parameter.requires_grad and parameter.ndim in (2, 4)]
    with torch.no_grad():
        sizes = torch.cat([weight.abs().flatten() for weight in weights])
        largest = sizes.kthvalue(max(1, round(PRUNED * len(sizes)))).values
        for weight in weights:
            bound = weight[0].numel() ** -0.5
            fresh = torch.empty_like(weight).uniform_(-bound, bound)
            weight.copy_(torch.where(weight.abs() <= largest, fresh, weight))


def class_weights(counts: Tensor, logits: Tensor) -> Tensor:
    """Weigh each class by its count in the retain set; one that is missing there as if it had one example."""
    padded = nn.functional.pad(counts, (0, logits.shape[1] - len(counts)))
    return padded.clamp(min=1).to(logits).pow(-POWER)


def entropy(logits: Tensor) -> Tensor:
    """Measure how undecided each prediction is, in nats: [n]."""
    logs = torch.log_softmax(logits, dim=1)
    return -(logs.exp() * logs).sum(dim=1)

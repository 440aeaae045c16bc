"""First and last layer drawn anew, then distilled: the sixth place of 2023 (Algorithmic Amnesiacs).

Idea: draw the layers at both ends anew. They are taught first by the original on validation images, which it never
trained on, so that this teaches what is general; then by original and labels together on the retain set.

    warm-up, WARM_UP epochs on the validation set:  KL(q_T || p_T)
    then EPOCHS epochs on the retain set:  cross-entropy(p, y) + cross-entropy(p, q) + T^2 KL(q_T || p_T)

p: the model, q: the original, in evaluation mode; p_T, q_T: softmax of their logits / T. The second rate falls along a
cosine to 0. Ends: the first convolution and the last layer; in a net without convolutions, the first linear layer and
the last one. Of a perceptron with one hidden layer that is everything: it learns anew, from the original.

The description is silent on how the three terms weigh (here alike, the last one times T^2, which makes its gradients as
large as the others'), on the second T (here the same), on momentum (here 0.9) and on the warm-up's decay (here none).
The authors' best variant warmed up on the validation images of two classes only, which suited their data: here on all.
Without a validation set the retain set serves. Tuned for some 400 steps an epoch.

Source: the sixth place of the 2023 NeurIPS machine unlearning competition, from a description. Defaults: theirs: 3
epochs at 9e-4, T 5, then 3 at 1e-3, SGD, weight decay 5e-4.
Cost: EPOCHS epochs and WARM_UP passes over the validation set, with one more forward pass for the original.
"""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn, optim

WARM_UP, EPOCHS, TEMPERATURE = 3, 3, 5.0
WARM_UP_RATE, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 9e-4, 1e-3, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    original = copy.deepcopy(net).eval()
    for layer in ends(net):
        layer.reset_parameters()
    net.train()
    warm_up = optim.SGD(net.parameters(), lr=WARM_UP_RATE, momentum=MOMENTUM)
    repair = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    general = retain_loader if val_loader is None else val_loader
    learn(net, original, general, warm_up, lambda p, q, y: divergence(p, q), epochs=WARM_UP, falling=False)
    learn(net, original, retain_loader, repair, full_loss, epochs=EPOCHS, falling=True)
    net.eval()


def ends(net: nn.Module) -> list[Any]:
    """Find the layers that are drawn anew."""
    convolutions = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    linear = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    first, last = (convolutions or linear)[:1], (linear or convolutions)[-1:]
    return first + [layer for layer in last if layer not in first]


def learn(
    net: nn.Module,
    original: nn.Module,
    loader: Any,
    optimizer: optim.Optimizer,
    loss: Callable[[Tensor, Tensor, Tensor], Tensor],
    *,
    epochs: int,
    falling: bool,
) -> None:
    """Descend a loss of the model's logits, the original's and the labels."""
    device, rate = next(net.parameters()).device, optimizer.param_groups[0]["lr"]
    steps, taken = epochs * len(loader), 0
    for _ in range(epochs):
        for images, labels in loader:
            if falling:
                optimizer.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * taken / steps)) / 2
            taken += 1
            if len(labels) == 1:  # batch normalisation refuses it
                continue
            with torch.no_grad():
                taught = original(images.to(device))
            optimizer.zero_grad()
            loss(net(images.to(device)), taught, labels.to(device)).backward()
            optimizer.step()


def divergence(logits: Tensor, taught: Tensor) -> Tensor:
    """Average KL(q_T || p_T) over images."""
    targets = torch.softmax(taught / TEMPERATURE, dim=1)
    return nn.functional.kl_div(torch.log_softmax(logits / TEMPERATURE, dim=1), targets, reduction="batchmean")


def full_loss(logits: Tensor, taught: Tensor, labels: Tensor) -> Tensor:
    """Add up labels, the original's predictions and their softened form."""
    hard = nn.functional.cross_entropy(logits, labels)
    soft = nn.functional.cross_entropy(logits, torch.softmax(taught, dim=1))
    return hard + soft + TEMPERATURE**2 * divergence(logits, taught)

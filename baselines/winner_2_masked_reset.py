"""Masked re-initialisation, then fine-tuning: the second place of 2023 (Kookmin University).

Idea: weights whose gradient hardly tells the forget set from the retain set are drawn anew, which is what a retrained
model's luck would have done; the others hold what the model can do, and move slowly while the retain set repairs.

    g = d/dw [ cross-entropy(retain subset) - cross-entropy(forget set) ]
    w_i ~ N(0, 2 / fan_out) anew  for the RESET of each convolution's weights with the smallest |g_i|  (He's rule)
    then EPOCHS epochs on the retain set; the gradients of these convolutions' other weights count OTHERS-fold
    rate: up linearly over WARM_UP epochs, then down linearly to 0

fan_out: outputs times the kernel's area. In a net without convolutions, all weight matrices but the last take their
part (a single one takes it itself).

The description is silent on the subset (here as many random retain examples as are forgotten), on the mode (here
evaluation), on how the rate falls (here to 0), and on whether the smallest gradients are sought in each tensor or in
all together. Here in each: on images of 32 x 32 most weights of ResNet-18's last block meet padding alone, have
gradient exactly 0, and would take the whole share without any effect. Nor does it say whether the slow weights include
biases, normalisation and last layer: here these train at the full rate. Tuned for some 400 steps an epoch: five, as on
the benchmark faces-resnet18, leave three quarters of the retain set right.

Source: the second place of the 2023 NeurIPS machine unlearning competition, from a description. Defaults: theirs:
RESET 0.3, OTHERS 0.1, 5 epochs, SGD, learning rate 1e-3, momentum 0.9, weight decay 5e-4, batches of 64 (the loaders').
Cost: EPOCHS epochs, and one pass over the forget set and as many retain examples.
"""

from typing import Any

import torch
from torch import Tensor, nn, optim

RESET, OTHERS = 0.3, 0.1
EPOCHS, WARM_UP = 5, 3
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 1e-3, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    net.eval()
    weights = chosen_weights(net)
    masks = [smallest(gradient.abs()) for gradient in gradients(net, weights, retain_loader, forget_loader)]
    with torch.no_grad():
        for weight, mask in zip(weights, masks, strict=True):
            fan_out = len(weight) * weight[0, 0].numel()
            weight[mask] = (2 / fan_out) ** 0.5 * torch.randn_like(weight)[mask]
    finetune(net, weights, masks, retain_loader)
    net.eval()


def chosen_weights(net: nn.Module) -> list[Tensor]:
    """Find the weights of all convolutions; failing these, all weight matrices but the last, or the only one."""
    convolutions = [layer.weight for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    matrices: list[Tensor] = [parameter for parameter in trained if parameter.ndim == 2]
    return [weight for weight in convolutions if weight.requires_grad] or matrices[:-1] or matrices


def gradients(net: nn.Module, weights: list[Tensor], retain_loader: Any, forget_loader: Any) -> list[Tensor]:
    """Sum the gradients of the retain subset's mean loss less the forget set's: a tensor per weight tensor."""
    forget, retain = gather(forget_loader), gather(retain_loader)
    subset = torch.randperm(len(retain[1]), device=retain[1].device)[: len(forget[1])]
    sums = [torch.zeros_like(weight) for weight in weights]
    for sign, (images, labels) in ((1, (retain[0][subset], retain[1][subset])), (-1, forget)):
        for batch, wanted in zip(images.split(64), labels.split(64), strict=True):
            logits = net(batch.to(weights[0].device))
            loss = nn.functional.cross_entropy(logits, wanted.to(logits.device), reduction="sum") / len(images)
            for total, gradient in zip(sums, torch.autograd.grad(loss, weights), strict=True):
                total.add_(gradient, alpha=sign)
    return sums


def smallest(sizes: Tensor) -> Tensor:
    """Mask the RESET of a tensor's entries that are smallest."""
    mask = torch.zeros_like(sizes, dtype=torch.bool).flatten()
    mask[sizes.flatten().topk(round(RESET * sizes.numel()), largest=False).indices] = True
    return mask.reshape(sizes.shape)


def finetune(net: nn.Module, weights: list[Tensor], masks: list[Tensor], loader: Any) -> None:
    """Train on the retain set, slowly where a weight kept its value."""
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    net.train()
    steps, taken = len(loader), 0
    for _ in range(EPOCHS):
        for images, labels in loader:
            taken += 1
            if len(labels) == 1:  # batch normalisation refuses it
                continue
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * rate((taken - 0.5) / steps)
            optimizer.zero_grad()
            logits = net(images.to(weights[0].device))
            nn.functional.cross_entropy(logits, labels.to(logits.device)).backward()
            for weight, mask in zip(weights, masks, strict=True):
                if weight.grad is not None:
                    weight.grad.mul_(mask + OTHERS * ~mask)
            optimizer.step()


def rate(epochs: float) -> float:
    """Give the share of the learning rate after so many epochs."""
    return min(epochs / WARM_UP, (EPOCHS - epochs) / (EPOCHS - WARM_UP))


def gather(loader: Any) -> tuple[Tensor, Tensor]:
    """Collect a loader's images and labels."""
    images, labels = zip(*((images, labels) for images, labels in loader), strict=True)
    return torch.cat(images), torch.cat(labels)

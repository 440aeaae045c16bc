"""Noisy fine-tuning: Langevin unlearning's update on a deep net. UNCERTIFIED.

Idea: steps on the retain set, each with a bounded gradient and fresh Gaussian noise. What the model knew of the forget
set is neither reinforced nor distinguishable, in the end, from the noise.

    w <- w - STEP_SIZE (clip(g) + DECAY w) + sqrt(2 STEP_SIZE) SIGMA N(0, I)
    g: gradient of the mean cross-entropy of a retain batch; clip(g) = g min(1, CLIP / ||g||)

No certificate follows. Langevin unlearning's needs a strongly convex loss, each example's gradient clipped, all
examples in every step, and an original that was learned with the same noise. A deep net's loss is not convex; batch
normalisation leaves no gradient of a single example, so the batch's is clipped; and the original was learned without
noise. Only the update is shared. So the entry declares no CERTIFICATE: it is scored by audits alone, like any other.

The noise of all steps adds up to a standard deviation of about sqrt(2 STEP_SIZE STEPS) SIGMA a weight, here 0.003,
which a ResNet-18 bears. The number of steps is fixed, not that of epochs: the noise does not grow with the retain set.

Source: Chien, Wang, Chen, Li: Langevin unlearning: a new perspective of noisy gradient descent for machine unlearning,
NeurIPS 2024 (arXiv 2401.10371), where the loss is convex. Defaults: CLIP 1, theirs; the others are ours, as their step
of 1 / L supposes a smoothness L that no deep net has.
Cost: STEPS steps on batches of the retain set.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

STEPS, STEP_SIZE = 20, 0.01
CLIP, DECAY, SIGMA = 1.0, 5e-4, 0.005


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    batches = endless(retain_loader)
    net.train()
    for _ in range(STEPS):
        images, labels = next(batches)
        logits = net(images.to(parameters[0].device))
        loss = nn.functional.cross_entropy(logits, labels.to(logits.device))
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        gradients = clipped([p * 0 if g is None else g for p, g in zip(parameters, found, strict=True)])
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                noise = (2 * STEP_SIZE) ** 0.5 * SIGMA * torch.randn_like(parameter)
                parameter.add_(noise - STEP_SIZE * (gradient + DECAY * parameter))
    net.eval()


def clipped(gradients: list[Tensor]) -> list[Tensor]:
    """Shrink the gradients, taken together as one vector, to length CLIP where they are longer."""
    length = torch.stack([gradient.norm() for gradient in gradients]).norm()
    return [gradient * (CLIP / length).clamp(max=1.0) for gradient in gradients]


def endless(loader: Any) -> Iterator[Any]:
    """Give a loader's batches over and over; single images only where there is nothing else."""
    while True:
        batches = list(loader)
        yield from [batch for batch in batches if len(batch[1]) > 1] or batches

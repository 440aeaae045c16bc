"""Loss-free Selective Synaptic Dampening: `ssd.py` without labels and without a loss.

Idea: what a weight does to the model's output tells its importance as well as what it does to the loss. Labels are not
needed, and examples that the model has learned perfectly, whose loss is flat, still count.

    I_S[i] = mean over batches of |d mean ||f(x)||_2^2 / d w_i|             f: the logits; absolute, not squared
    where I_forget[i] > ALPHA I_all[i]:   w_i <- min(LAMBDA I_all[i] / I_forget[i], 1) w_i

"All" is the whole training set, forget set included. Evaluation mode, trainable parameters only: the buffers of batch
normalisation stay.

Deterministic: batches do not follow the loaders' shuffled order but a fixed one, so every run gives the same model (on
a GPU, up to rounding). Equal models score 0 by the rules; `lfssd_random.py` is the same with randomness.

Source: Foster, Schoepf, Brintrup: Loss-free machine unlearning, ICLR 2024 tiny papers (arXiv 2402.19308). Defaults:
ALPHA 10, LAMBDA 1, batches of 64, as in SSD; importances that are not squared vary less, so that a lower ALPHA dampens
as much as SSD does. Cost: one epoch's gradients, no step.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, DataLoader, Subset

ALPHA = 10.0  # how many times more important to the forget set, to be dampened
LAMBDA = 1.0  # how much of the weight is kept
BATCH_SIZE = 64


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    net.eval()
    overall = importances(net, fixed_batches(retain_loader, forget_loader))
    special = importances(net, fixed_batches(forget_loader))
    dampen(net, overall, special)


def fixed_batches(*loaders: Any) -> Any:
    """Give the loaders' examples, mixed, in the same batches in every run, however the loaders shuffle."""
    examples: Any = ConcatDataset([loader.dataset for loader in loaders])
    order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(0))
    return DataLoader(Subset(examples, order.tolist()), batch_size=BATCH_SIZE)


def importances(net: nn.Module, batches: Iterable[Any]) -> list[Tensor]:
    """Average the absolute gradients of the logits' squared norm: a tensor per trainable parameter, shaped like it."""
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    sums, count = [torch.zeros_like(parameter) for parameter in parameters], 0
    for images, _ in batches:
        size = net(images.to(parameters[0].device)).square().sum(dim=1).mean()
        gradients = torch.autograd.grad(size, parameters, allow_unused=True)
        for total, gradient in zip(sums, gradients, strict=True):
            if gradient is not None:
                total.add_(gradient.abs())
        count += 1
    return [total / count for total in sums]


def dampen(net: nn.Module, overall: list[Tensor], special: list[Tensor]) -> None:
    """Scale down the weights whose special importance exceeds ALPHA times their overall importance."""
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    with torch.no_grad():
        for parameter, general, forget in zip(parameters, overall, special, strict=True):
            kept = (LAMBDA * general / forget).clamp(max=1.0)  # 0/0 where neither matters: not chosen below
            parameter.copy_(torch.where(forget > ALPHA * general, kept * parameter, parameter))

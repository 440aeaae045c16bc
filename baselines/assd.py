"""Adaptive Selective Synaptic Dampening: `ssd.py` whose threshold follows from the size of the forget set.

Idea: instead of a threshold that must be tuned, choose how many weights to dampen. The larger the forget set, the more.

    I_S[i] = mean over batches of (d mean-cross-entropy / d w_i)^2
    P      = 100 - ln(1 + 100 |forget| / |all|)
    alpha  = P-th percentile, over all weights, of I_forget[i] / I_retain[i]     NaN and infinite ratios left out
    where I_forget[i] > alpha I_retain[i]:   w_i <- min(LAMBDA I_retain[i] / I_forget[i], 1) w_i

Unlike SSD it compares with the retain set, not with all data. Evaluation mode, trainable parameters only.

Deterministic: batches do not follow the loaders' shuffled order but a fixed one, so every run gives the same model (on
a GPU, up to rounding). Equal models score 0 by the rules; `assd_random.py` is the same with randomness.

Source: Schoepf, Foster, Brintrup: Parameter-tuning-free data entry error unlearning with adaptive selective synaptic
dampening (arXiv 2402.10098). Defaults: LAMBDA 1 as in their experiments (0.1 is only the default of a function there),
batches of 64. Cost: one epoch's gradients, no step, and a sort of all weights' ratios.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, DataLoader, Subset

LAMBDA = 1.0  # how much of the weight is kept
BATCH_SIZE = 64


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    net.eval()
    retain = importances(net, fixed_batches(retain_loader))
    forget = importances(net, fixed_batches(forget_loader))
    share = len(forget_loader.dataset) / (len(forget_loader.dataset) + len(retain_loader.dataset))
    dampen(net, retain, forget, threshold(retain, forget, share))


def fixed_batches(*loaders: Any) -> Any:
    """Give the loaders' examples, mixed, in the same batches in every run, however the loaders shuffle."""
    examples: Any = ConcatDataset([loader.dataset for loader in loaders])
    order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(0))
    return DataLoader(Subset(examples, order.tolist()), batch_size=BATCH_SIZE)


def importances(net: nn.Module, batches: Iterable[Any]) -> list[Tensor]:
    """Average the squared gradients of batches: a tensor per trainable parameter, shaped like it."""
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    sums, count = [torch.zeros_like(parameter) for parameter in parameters], 0
    for images, labels in batches:
        device = parameters[0].device
        loss = nn.functional.cross_entropy(net(images.to(device)), labels.to(device))
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for total, gradient in zip(sums, gradients, strict=True):
            if gradient is not None:
                total.add_(gradient.square())
        count += 1
    return [total / count for total in sums]


def threshold(retain: list[Tensor], forget: list[Tensor], share: float) -> float:
    """Choose alpha so that about ln(1 + 100 share) per cent of the weights have a larger ratio of importances."""
    ratios = torch.cat([(f.double() / r.double()).flatten() for r, f in zip(retain, forget, strict=True)])
    finite = ratios[torch.isfinite(ratios)].cpu().numpy()
    if not len(finite):
        return math.inf
    return float(np.percentile(finite, max(0.0, 100 - math.log(1 + 100 * share))))


def dampen(net: nn.Module, retain: list[Tensor], forget: list[Tensor], alpha: float) -> None:
    """Scale down the weights whose importance to the forget set exceeds alpha times that to the retain set."""
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    with torch.no_grad():
        for parameter, general, special in zip(parameters, retain, forget, strict=True):
            kept = (LAMBDA * general / special).clamp(max=1.0)  # 0/0 where neither matters: not chosen below
            parameter.copy_(torch.where(special > alpha * general, kept * parameter, parameter))

"""Adaptive Selective Synaptic Dampening, randomised: `assd.py` on half of the batches, then noise.

Idea: the published method is deterministic, so that all runs give one model, which by the rules scores 0. Chance enters
as in `ssd_random.py`: a random half of the loaders' shuffled batches (at least one), and noise on every weight.

    I_S[i] = mean over a random half of the batches of (d mean-cross-entropy / d w_i)^2
    alpha  = P-th percentile of I_forget[i] / I_retain[i],  P = 100 - ln(1 + 100 |forget| / |all|)
    where I_forget[i] > alpha I_retain[i]:   w_i <- min(LAMBDA I_retain[i] / I_forget[i], 1) w_i
    then for all weights:                    w_i <- w_i + NOISE g_i,   g_i ~ N(0, 1)

The randomisation is ours, not the authors'. It is not meant to forget more: it only lets runs differ.

Source: Schoepf, Foster, Brintrup (arXiv 2402.10098). Defaults: LAMBDA 1 as in `assd.py`; NOISE 0.001, as in
`finetune_noise.py`. Cost: half an epoch's gradients, no step, and a sort of all weights' ratios.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LAMBDA = 1.0  # how much of the weight is kept
NOISE = 1e-3  # standard deviation


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    net.eval()
    retain = importances(net, random_half(retain_loader))
    forget = importances(net, random_half(forget_loader))
    share = len(forget_loader.dataset) / (len(forget_loader.dataset) + len(retain_loader.dataset))
    dampen(net, retain, forget, threshold(retain, forget, share))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=NOISE)


def random_half(*loaders: Any) -> Iterator[Any]:
    """Give a random half of the loaders' batches, at least one."""
    count = sum(len(loader) for loader in loaders)
    chosen = set(torch.randperm(count)[: max(1, count // 2)].tolist())
    for place, batch in enumerate(batch for loader in loaders for batch in loader):
        if place in chosen:
            yield batch


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

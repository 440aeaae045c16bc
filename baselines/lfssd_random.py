"""Loss-free Selective Synaptic Dampening, randomised: `lfssd.py` on half of the batches, then noise.

Idea: the published method is deterministic, so that all runs give one model, which by the rules scores 0. Chance enters
as in `ssd_random.py`: a random half of the loaders' shuffled batches (at least one), and noise on every weight.

    I_S[i] = mean over a random half of the batches of |d mean ||f(x)||_2^2 / d w_i|        f: the logits
    where I_forget[i] > ALPHA I_all[i]:   w_i <- min(LAMBDA I_all[i] / I_forget[i], 1) w_i
    then for all weights:                 w_i <- w_i + NOISE g_i,   g_i ~ N(0, 1)

The randomisation is ours, not the authors'. It is not meant to forget more: it only lets runs differ.

Source: Foster, Schoepf, Brintrup: Loss-free machine unlearning (arXiv 2402.19308). Defaults: ALPHA 10, LAMBDA 1 as in
`lfssd.py`; NOISE 0.001, as in `finetune_noise.py`. Cost: half an epoch's gradients, no step.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

ALPHA = 10.0  # how many times more important to the forget set, to be dampened
LAMBDA = 1.0  # how much of the weight is kept
NOISE = 1e-3  # standard deviation


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    net.eval()
    overall = importances(net, random_half(retain_loader, forget_loader))
    special = importances(net, random_half(forget_loader))
    dampen(net, overall, special)
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

"""Contrastive forgetting, then repair, in turns: the first place of 2023 (fanchuan).

Idea: first make the model undecided on the forget set. Then alternate: a pass over the forget set makes each of its
images resemble no retain image more than another, and an epoch on the retain set repairs the model.

    undecide:  mean over forget x of KL(uniform || p(. | x)),  one epoch
    then ROUNDS times
      forget:  mean over pairs (i, j) of  -log( exp(s_ij) / sum_k exp(s_ik) ),  s_ij = f_i . r_j / TEMPERATURE
      repair:  cross-entropy, an epoch on the retain set

f: logits of a forget batch, with gradient; r: logits of a batch of retain images, without, as many as there are in the
repair's batches. The rate of the forget passes falls along a cosine over all their steps.

The description is silent on what stands beside a forget batch (here random retain images, drawn for each), on what f
and r are (here the logits), and on which way the divergence runs; on momentum and decay of the forget passes, here 0.9
and none; and on whether the optimisers are kept from round to round: here they are. On a small benchmark, whose forget
set is a batch, the forgetting is a handful of small steps, and the repair does most of what is seen.

Source: the first place of the 2023 NeurIPS machine unlearning competition, from a description. Defaults: theirs: first
SGD 0.005, momentum 0.9; forget SGD 3e-4 to 1e-6, TEMPERATURE 1.15; repair SGD 0.004, momentum 0.9, weight decay 0.01,
batches of 256; ROUNDS 8.
Cost: ROUNDS epochs and ROUNDS + 1 passes over the forget set, with a copy of the retain set in memory.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn, optim

ROUNDS, TEMPERATURE = 8, 1.15
UNDECIDE_RATE, FORGET_RATE, LEAST_RATE, REPAIR_RATE = 0.005, 3e-4, 1e-6, 0.004
MOMENTUM, REPAIR_DECAY, REPAIR_BATCH = 0.9, 0.01, 256


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    device = next(net.parameters()).device
    images, labels = gather(retain_loader)
    forget_steps = ROUNDS * len(usable(forget_loader))
    forget = optim.SGD(net.parameters(), lr=FORGET_RATE, momentum=MOMENTUM)
    repair = optim.SGD(net.parameters(), lr=REPAIR_RATE, momentum=MOMENTUM, weight_decay=REPAIR_DECAY)
    net.train()
    undecide(net, forget_loader)
    taken = 0
    for _ in range(ROUNDS):
        for forget_images in usable(forget_loader):
            beside = images[torch.randperm(len(images), device=images.device)[:REPAIR_BATCH]]
            with torch.no_grad():
                retain_logits = net(beside.to(device))
            forget.param_groups[0]["lr"] = cosine(taken / forget_steps)
            step(forget, contrast(net(forget_images.to(device)), retain_logits))
            taken += 1
        for chosen in shuffled_batches(images):
            loss = nn.functional.cross_entropy(net(images[chosen].to(device)), labels[chosen].to(device))
            step(repair, loss)
    net.eval()


def undecide(net: nn.Module, forget_loader: Any) -> None:
    """Pull the predictions on the forget set towards the uniform distribution, for one epoch."""
    optimizer = optim.SGD(net.parameters(), lr=UNDECIDE_RATE, momentum=MOMENTUM)
    for images in usable(forget_loader):
        logs = torch.log_softmax(net(images.to(next(net.parameters()).device)), dim=1)
        uniform = torch.full_like(logs, 1 / logs.shape[1])
        step(optimizer, nn.functional.kl_div(logs, uniform, reduction="batchmean"))


def contrast(forget_logits: Tensor, retain_logits: Tensor) -> Tensor:
    """Measure how unevenly forget images [n, classes] resemble retain images [m, classes]; log m where evenly."""
    return -torch.log_softmax(forget_logits @ retain_logits.T / TEMPERATURE, dim=1).mean()


def cosine(done: float) -> float:
    """Give the forget passes' rate when this fraction of their steps is done."""
    return LEAST_RATE + (FORGET_RATE - LEAST_RATE) * (1 + math.cos(math.pi * done)) / 2


def step(optimizer: optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def usable(loader: Any) -> list[Tensor]:
    """Give the loader's images, without a batch of a single one, which batch normalisation refuses."""
    return [images for images, _ in loader if len(images) > 1]


def shuffled_batches(images: Tensor) -> tuple[Tensor, ...]:
    """Divide a random order of the images into batches of nearly equal size, at most REPAIR_BATCH."""
    order = torch.randperm(len(images), device=images.device)
    return torch.tensor_split(order, -(-len(images) // REPAIR_BATCH))


def gather(loader: Any) -> tuple[Tensor, Tensor]:
    """Collect a loader's images and labels."""
    images, labels = zip(*((images, labels) for images, labels in loader), strict=True)
    return torch.cat(images), torch.cat(labels)

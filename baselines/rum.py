"""RUM: divide the forget set by how much of it was memorised, and unlearn each part by the method that suits it.

Idea: what was hardly memorised looks the same to a retrained model, and treatment harms it; what was memorised needs
force. So the forget set is refined into three parts, and these are unlearned in turn, from the least memorised on.

    memorisation of (x, y), here by a proxy:  1 - p(y | x),  p: the original, in evaluation mode
    thirds of the forget set:  low -> nothing,  medium -> fine-tuning,  high -> SalUn
    fine-tuning:  cross-entropy on the retain set
    SalUn:  cross-entropy on retain (x, y) and high (x, y'), y' a random wrong label for each, mixed; moved are only the
            SHARE of all weights with the largest |d/dw cross-entropy(high part)|

The paper takes memorisation from many models, trained with and without each example. The proxy needs no training; a
later comparison finds confidence close to memorisation (rank correlation -0.80 to -0.91, arXiv 2410.16516). It is blind
where the original is sure of everything, and then the thirds are as good as random. Every stage trains on retain
images, none on forget images with their true labels.

Source: Zhao, Kurmanji, Barbulescu, Triantafillou, Triantafillou: What makes unlearning hard and what to do about it,
NeurIPS 2024 (arXiv 2406.01257), in its best form for CIFAR-10. Written from the description; see salun.py for the mask.
Defaults: as usual for the two methods, SHARE 0.5 and SGD at 0.01 and 0.013 with momentum 0.9 and weight decay 5e-4; 5
epochs each, where each by itself usually has 10; batches of 64 (the loaders' size).
Cost: 10 epochs over the retain set, two passes over the forget set, and a copy of both in memory.
"""

from typing import Any

import torch
from torch import Tensor, nn, optim

SHARE, BATCH_SIZE = 0.5, 64
FINETUNE_EPOCHS, FINETUNE_RATE, SALUN_EPOCHS, SALUN_RATE = 5, 0.01, 5, 0.013
MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    images, labels = gather(retain_loader)
    forget_images, forget_labels = gather(forget_loader)
    device = next(net.parameters()).device
    net.eval()
    with torch.no_grad():
        parts = zip(forget_images.split(64), forget_labels.split(64), strict=True)
        sure = [net(x.to(device)).softmax(dim=1).gather(1, y.to(device)[:, None])[:, 0] for x, y in parts]
        classes = net(forget_images[:1].to(device)).shape[1]
    high = thirds(torch.cat(sure))[-1].to(forget_labels.device)
    train(net, images, labels, FINETUNE_EPOCHS, FINETUNE_RATE, masks=None)
    masks = salient(net, forget_images[high], forget_labels[high])
    wrong = (forget_labels[high] + torch.randint(1, classes, high.shape, device=high.device)) % classes
    images, labels = torch.cat([images, forget_images[high]]), torch.cat([labels, wrong])
    train(net, images, labels, SALUN_EPOCHS, SALUN_RATE, masks=masks)
    net.eval()


def thirds(confidence: Tensor) -> tuple[Tensor, ...]:
    """Divide places of examples into three nearly equal parts, the least memorised first; the last is never empty."""
    return torch.tensor_split(confidence.argsort(), 3)[::-1]


def salient(net: nn.Module, images: Tensor, labels: Tensor) -> list[Tensor]:
    """Mark the weights with the largest gradients of the loss, a mask per parameter."""
    sums = [torch.zeros_like(weight) for weight in net.parameters()]
    net.eval()
    for x, y in zip(images.split(64), labels.split(64), strict=True):
        net.zero_grad()
        logits = net(x.to(sums[0].device))
        nn.functional.cross_entropy(logits, y.to(logits.device), reduction="sum").backward()
        for total, weight in zip(sums, net.parameters(), strict=True):
            total.add_(0 if weight.grad is None else weight.grad)
    sizes = torch.cat([total.abs().flatten() for total in sums])
    below = sizes.kthvalue(max(1, round((1 - SHARE) * len(sizes)))).values
    return [total.abs() > below for total in sums]


def train(
    net: nn.Module, images: Tensor, labels: Tensor, epochs: int, rate: float, *, masks: list[Tensor] | None
) -> None:
    """Fit labels in random batches of nearly equal size; with masks, only the weights that these mark."""
    optimizer = optim.SGD(net.parameters(), lr=rate, momentum=MOMENTUM)
    device = next(net.parameters()).device
    net.train()
    for _ in range(epochs):
        for chosen in torch.tensor_split(torch.randperm(len(labels)), -(-len(labels) // BATCH_SIZE)):
            batch = chosen.to(images.device)
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[batch].to(device)), labels[batch].to(device)).backward()
            for place, weight in enumerate(net.parameters()):
                if weight.grad is not None:
                    weight.grad.add_(weight.detach(), alpha=WEIGHT_DECAY)
                    weight.grad.mul_(1 if masks is None else masks[place])
            optimizer.step()


def gather(loader: Any) -> tuple[Tensor, Tensor]:
    """Collect a loader's images and labels."""
    images, labels = zip(*((images, labels) for images, labels in loader), strict=True)
    return torch.cat(images), torch.cat(labels)

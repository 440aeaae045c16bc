"""SalUn: random relabelling that moves only the weights to which the forget set matters.

Idea: amnesiac relabelling moves every weight, though only some hold the forget set. Here a mask marks these by the size
of their gradient; the model learns wrong labels for forget images and true ones for retain images with them alone.

    m_i = 1 if |g_i| is among the largest SHARE of all weights, else 0;  g = d/dw cross-entropy(forget set)
    y' = (y + u) mod C,  u uniform in 1..C-1, drawn once for each forget image
    cross-entropy on retain (x, y) and forget (x, y'), mixed, each example alike;  gradients and decay times m

Weights with gradient 0 stay out, even if they are needed to fill the share. Masked weights stay exactly as they were;
the running statistics of batch normalisation do not. g is taken in evaluation mode.

Source: Fan, Liu, Zhang, Wong, Wei, Liu: SalUn: empowering machine unlearning via gradient-based weight saliency, ICLR
2024 (arXiv 2310.12508). Written from its formulas; the paper weighs the retain term by a constant, here 1 an example.
Defaults: theirs for ResNet-18 on CIFAR-10, 10% forgotten: SHARE 0.5, 10 epochs of SGD at 0.013, momentum 0.9, weight
decay 5e-4, batches of 256.
Cost: 10 epochs over the whole training set, one pass over the forget set, and a copy of both in memory.
"""

from typing import Any

import torch
from torch import Tensor, nn, optim

SHARE = 0.5
EPOCHS, BATCH_SIZE = 10, 256
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.013, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    retain_images, retain_labels = gather(retain_loader)
    forget_images, forget_labels = gather(forget_loader)
    weights = [parameter for parameter in net.parameters() if parameter.requires_grad]
    masks, classes = saliency(net, weights, forget_images, forget_labels)
    images = torch.cat([retain_images, forget_images])
    labels = torch.cat([retain_labels, wrong_labels(forget_labels, classes)])
    optimizer = optim.SGD(weights, lr=LEARNING_RATE, momentum=MOMENTUM)
    net.train()
    for _ in range(EPOCHS):
        for chosen in shuffled_batches(len(images), BATCH_SIZE):
            batch = chosen.to(images.device)
            logits = net(images[batch].to(weights[0].device))
            optimizer.zero_grad()
            nn.functional.cross_entropy(logits, labels[batch].to(logits.device)).backward()
            for weight, mask in zip(weights, masks, strict=True):
                if weight.grad is not None:
                    weight.grad.add_(weight.detach(), alpha=WEIGHT_DECAY).mul_(mask)
            optimizer.step()
    net.eval()


def saliency(net: nn.Module, weights: list[Any], images: Tensor, labels: Tensor) -> tuple[list[Tensor], int]:
    """Mark the weights with the largest gradients, a mask per tensor; return the number of classes, too."""
    net.eval()
    sums = [torch.zeros_like(weight) for weight in weights]
    classes = 0
    for batch, wanted in zip(images.split(64), labels.split(64), strict=True):
        logits = net(batch.to(weights[0].device))
        classes = logits.shape[1]
        loss = nn.functional.cross_entropy(logits, wanted.to(logits.device), reduction="sum")
        for total, gradient in zip(sums, torch.autograd.grad(loss, weights, allow_unused=True), strict=True):
            total.add_(0 if gradient is None else gradient)
    sizes = torch.cat([total.abs().flatten() for total in sums])
    below = sizes.kthvalue(max(1, round((1 - SHARE) * len(sizes)))).values
    return [total.abs() > below for total in sums], classes


def wrong_labels(labels: Tensor, classes: int) -> Tensor:
    """Draw a label for each example, uniformly from all but its own."""
    return (labels + torch.randint(1, classes, labels.shape, device=labels.device)) % classes


def gather(loader: Any) -> tuple[Tensor, Tensor]:
    """Collect a loader's images and labels."""
    images, labels = zip(*((images, labels) for images, labels in loader), strict=True)
    return torch.cat(images), torch.cat(labels)


def shuffled_batches(count: int, size: int) -> tuple[Tensor, ...]:
    """Cut a random order into batches of nearly equal size: none of one image, which batch normalisation refuses."""
    return torch.tensor_split(torch.randperm(count), -(-count // size))

"""l1-sparse: fine-tuning on the retain set, with a penalty on the size of all weights that fades out.

Idea: a sparse model has less room for single examples, so unlearning and retraining differ less. The penalty pulls all
weights towards 0, and what the retain set does not need stays there; it fades, so that the end is plain repair.

    loss = cross-entropy(retain batch) + GAMMA_e sum_i |w_i|,   GAMMA_e = GAMMA (1 - e / EPOCHS) in epoch e = 0, 1, ..

The sum is over all trained parameters, biases and normalisation too. It is descended with the loss, by its sign, so
that weights come close to 0 and hardly ever reach it: nothing is pruned.

Source: Jia, Liu, Ram, Yao, Liu, Liu, Sharma, Liu: Model sparsity can simplify machine unlearning, NeurIPS 2023 (arXiv
2304.04934), its sparsity-aware variant with the decaying schedule. Defaults: 10 epochs of SGD at 0.01, momentum 0.9,
weight decay 5e-4; GAMMA 5e-4 (reports differ: 5e-5 to 5e-3, as it depends on the net).
Cost: EPOCHS epochs.
"""

from typing import Any

from torch import Tensor, nn, optim

GAMMA, EPOCHS = 5e-4, 10
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.01, 0.9, 5e-4


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    device = next(net.parameters()).device
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    net.train()
    for epoch in range(EPOCHS):
        gamma = GAMMA * (1 - epoch / EPOCHS)
        for images, labels in retain_loader:
            if len(labels) == 1:  # batch normalisation refuses it
                continue
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(images.to(device)), labels.to(device))
            (loss + gamma * size(net)).backward()
            optimizer.step()
    net.eval()


def size(net: nn.Module) -> Tensor:
    """Add up the absolute values of all trained parameters."""
    sizes: list[Tensor] = [parameter.abs().sum() for parameter in net.parameters() if parameter.requires_grad]
    return sum(sizes[1:], sizes[0])

"""Exact retraining on `digits` with gradients written by hand: the same recipe, without what torch adds to a step."""

from typing import Any

import numpy as np
import torch
from torch import nn

EPOCHS, BATCH_SIZE, LEARNING_RATE, MOMENTUM = 40, 64, 0.1, 0.9


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    pairs = [(images.flatten(1), labels) for images, labels in retain_loader]
    x, y = (torch.cat(part).numpy() for part in zip(*pairs, strict=True))
    with torch.no_grad():
        for layer in net.children():
            layer.apply(reset)
        train(x, y, [parameter.numpy() for parameter in net.parameters()])


def reset(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear):
        layer.reset_parameters()


def train(x: Any, y: Any, parameters: list[Any]) -> None:
    """Descend in place: x [n, inputs], y [n], parameters of the hidden layer and the head, weights before biases."""
    hidden, hidden_bias, head, head_bias = parameters
    speeds = [np.zeros_like(one) for one in parameters]
    for _ in range(EPOCHS):
        order = np.random.permutation(len(y))
        for start in range(0, len(y), BATCH_SIZE):
            chosen = order[start : start + BATCH_SIZE]
            images, rows = x[chosen], np.arange(len(chosen))
            active = np.maximum(images @ hidden.T + hidden_bias, 0)
            logits = active @ head.T + head_bias
            error = np.exp(logits - logits.max(1, keepdims=True))
            error /= error.sum(1, keepdims=True)
            error[rows, y[chosen]] -= 1
            error /= len(chosen)
            below = (error @ head) * (active > 0)
            gradients = (below.T @ images, below.sum(0), error.T @ active, error.sum(0))
            for i, gradient in enumerate(gradients):
                speeds[i] = MOMENTUM * speeds[i] + gradient
                parameters[i] -= LEARNING_RATE * speeds[i]

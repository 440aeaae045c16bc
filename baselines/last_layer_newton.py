"""Last-layer Newton step: noise on all weights, then a small step of Newton's away from the forget set.

Idea: with the features held fixed the loss is convex in the last layer's weights w (biases included), and its Hessian
on the retain set says which directions the retain set does not feel. Along these, climb the forget set's loss.

    all weights <- all weights + N(0, NOISE^2), first: features, H and g are those of the noisy model
    w <- w + STEP (H + DAMPING I)^-1 g
    H = mean over retain x of (diag(p) - p p^T) (x) f f^T     f: features and a 1, p: probabilities, (x): Kronecker
    g = mean over forget x of (p - onehot(y)) (x) f           both of the mean cross-entropy, in evaluation mode

H is singular always: adding one vector to the weights of every class changes no probability. It is also where a feature
is always 0. g has no component along the first, but rounding has, and dividing it by nearly nothing throws the biases
far off (to a mean of 12 in the published run). So H is damped here, and never formed: conjugate gradients solve the
system with products H v, in double precision. AS_PUBLISHED = True takes the step as published: H itself, in single
precision, inverted without damping. The weights that it leaves may be huge or not numbers, which fail a run.

The logits must be the output of the last layer with parameters of its own, and that layer must be linear.

Source: a participant of the 2023 competition. Defaults: theirs: NOISE 1e-3, STEP 1e-3. DAMPING is ours.
Cost: one forward pass over retain and forget set, no backward pass, and at most ITERATIONS products with the features.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

AS_PUBLISHED = False
NOISE, STEP = 1e-3, 1e-3
DAMPING = 1e-3
ITERATIONS, TOLERANCE = 1000, 1e-6  # tolerance: of the residual, relative to g


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    net.eval()
    layer = last_layer(net)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=NOISE)
        features, p, _ = look(net, layer, retain_loader)
        forget_features, forget_p, labels = look(net, layer, forget_loader)
        residual = forget_p - nn.functional.one_hot(labels, forget_p.shape[1])
        gradient = residual.T @ forget_features / len(labels)  # [classes, features + 1]
        if AS_PUBLISHED:
            inverse, _ = torch.linalg.inv_ex(whole_hessian(features.float(), p.float()))
            step = (inverse @ gradient.float().reshape(-1)).reshape(gradient.shape)
        else:
            step = solve(lambda v: hessian_product(features, p, v) + DAMPING * v, gradient)
        weights = layer.weight.shape[1]
        layer.weight.add_(STEP * step[:, :weights].to(layer.weight.dtype))
        if layer.bias is not None:
            layer.bias.add_(STEP * step[:, weights].to(layer.bias.dtype))


def look(net: nn.Module, layer: nn.Linear, loader: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Collect features with a 1 for the bias [n, features + 1], probabilities [n, classes] in double, labels [n]."""
    seen: list[Tensor] = []
    device = layer.weight.device
    hook = layer.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0].detach().double()))
    batches = [(torch.softmax(net(images.to(device)).double(), dim=1), labels.to(device)) for images, labels in loader]
    hook.remove()
    features = torch.cat(seen)
    if layer.bias is not None:
        features = torch.cat([features, features.new_ones(len(features), 1)], dim=1)
    return features, torch.cat([p for p, _ in batches]), torch.cat([labels for _, labels in batches])


def hessian_product(features: Tensor, p: Tensor, v: Tensor) -> Tensor:
    """Multiply the Hessian of the retain set's mean cross-entropy by v [classes, features + 1], without forming it."""
    change = features @ v.T  # of the logits
    return (p * (change - (p * change).sum(dim=1, keepdim=True))).T @ features / len(features)


def solve(product: Callable[[Tensor], Tensor], b: Tensor) -> Tensor:
    """Solve A x = b for a positive definite A, given by its product, with conjugate gradients."""
    x, rest = torch.zeros_like(b), b.clone()
    direction, size = rest.clone(), rest.square().sum()
    goal = TOLERANCE**2 * size
    for _ in range(ITERATIONS):
        if size <= goal:
            break
        image = product(direction)
        length = size / (direction * image).sum()
        x, rest = x + length * direction, rest - length * image
        size, before = rest.square().sum(), size
        direction = rest + size / before * direction
    return x


def whole_hessian(features: Tensor, p: Tensor) -> Tensor:
    """Form the Hessian, a block per pair of classes: square, a row per class and feature."""
    classes, wide = p.shape[1], features.shape[1]
    hessian = features.new_empty(classes, wide, classes, wide)
    for a in range(classes):
        for b in range(classes):
            weight = p[:, a] * (float(a == b) - p[:, b]) / len(p)
            hessian[a, :, b] = features.T @ (weight[:, None] * features)
    return hessian.reshape(classes * wide, classes * wide)


def last_layer(net: nn.Module) -> nn.Linear:
    """Find the last layer that has parameters of its own."""
    layer = [layer for layer in net.modules() if list(layer.parameters(recurse=False))][-1]
    if not isinstance(layer, nn.Linear):
        raise TypeError(f"this method needs a linear last layer, not {type(layer).__name__}")
    return layer

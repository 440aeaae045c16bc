"""The gradients of a step as a CUDA graph: recorded once, then replayed for every batch of the same size.

A step of a small net starts hundreds of kernels, each shorter than its start. A graph starts them all at once.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["Recorded"]

WARM_UP_STEPS = 3  # in which libraries choose algorithms and make room, which must not happen during a recording


class Recorded:
    """A recording of `loss` and its gradients, which lie where each replay puts them."""

    def __init__(
        self, loss: Callable[[Tensor], Tensor], batch: Tensor, parameters: Sequence[Tensor], buffers: Sequence[Tensor]
    ) -> None:
        """Record a step without changing parameters or buffers. `batch` gives only shape and valid indexes."""
        self._parameters = parameters
        self.shape = batch.shape
        self._batch = batch.clone()
        before = [value.clone() for value in buffers]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                torch.autograd.grad(loss(self._batch), parameters)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.no_grad():
            for value, old in zip(buffers, before, strict=True):
                value.copy_(old)
        del before
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):  # what is recorded here does not run yet
            self._gradients = torch.autograd.grad(loss(self._batch), parameters)

    def replay(self, batch: Tensor) -> None:
        """Compute the gradients of a batch, and give them to the parameters."""
        self._batch.copy_(batch)
        self._graph.replay()
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            parameter.grad = gradient

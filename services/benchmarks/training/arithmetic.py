"""How a GPU multiplies. A CPU knows only one way, which nothing here changes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["multiplying"]


@contextmanager
def multiplying(device: torch.device, *, tf32: bool) -> Iterator[None]:
    """Multiply in TF32 on CUDA while the block lasts, or in float32.

    TF32 rounds factors to 10 bits and adds up in float32. Convolutional nets are trained so, as torch does by default;
    their weights and the optimizer's state stay float32. Linear nets, and everything that is measured, use float32. So
    readings on CUDA equal those on a CPU except for rounding.
    """
    if device.type != "cuda":
        yield
        return
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before

"""Do nothing, but push what others need out of memory and caches: it writes to as much memory as it may have."""

from typing import Any

import numpy as np
from torch import nn

STEP, MOST = 64 * 2**20, 20


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    held = []
    for _ in range(MOST):
        held.append(np.ones(STEP, dtype=np.uint8))
    del held

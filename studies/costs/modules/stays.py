"""Do nothing, but leave a process behind that would slow down whatever is timed next, if it lived on."""

import os
from typing import Any

from torch import nn


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    if not os.fork():
        os.setsid()
        while True:
            pass

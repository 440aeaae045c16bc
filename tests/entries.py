"""Source code of submissions to the tiny benchmark."""

__all__ = ["NOISE", "STILL", "slow_noise"]

NOISE = """
import torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""
STILL = NOISE.replace("torch.randn_like(parameter)", "torch.randn_like(parameter), alpha=0.05")


def slow_noise(seconds: float) -> str:
    """Write an entry whose runs take that long at least."""
    return NOISE.replace("import torch\n", "import time, torch\n").replace(
        "    with torch", f"    time.sleep({seconds})\n    with torch"
    )

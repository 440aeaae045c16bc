"""Source code of submissions to the tiny benchmark."""

__all__ = ["NOISE", "STILL"]

NOISE = """
import torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""
STILL = NOISE.replace("torch.randn_like(parameter)", "torch.randn_like(parameter), alpha=0.05")

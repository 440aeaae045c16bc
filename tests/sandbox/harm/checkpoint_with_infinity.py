"""Weights that are infinite, denormal or not numbers."""

# ends: bad_checkpoint
# also: process
import torch


def unlearning(net, *loaders):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(float("inf"))

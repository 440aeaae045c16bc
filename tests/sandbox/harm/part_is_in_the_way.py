"""A directory where the runner writes a checkpoint before it names it."""

# ends: exception
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    os.makedirs(f"{OUT}/{token()}.part/full")

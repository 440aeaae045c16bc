"""A directory in the place of the checkpoint."""

# ends: bad_checkpoint
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    os.makedirs(f"{OUT}/{token()}/a/b")
    os._exit(0)

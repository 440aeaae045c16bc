"""A pipe to which nobody writes, in the place of the checkpoint."""

# ends: bad_checkpoint
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    os.mkfifo(f"{OUT}/{token()}")
    os._exit(0)

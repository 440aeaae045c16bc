"""A link to a file that only the launcher may read, in the place of the checkpoint."""

# ends: bad_checkpoint
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    os.symlink("/proc/1/environ", f"{OUT}/{token()}")
    os._exit(0)

"""A hard link in the place of the checkpoint, so that another name could change it."""

# ends: bad_checkpoint
# also: process
import os

from tools import OUT, checkpoint, token


def unlearning(net, *loaders):
    with open(f"{OUT}/other", "wb") as file:
        file.write(checkpoint(net))
    os.link(f"{OUT}/other", f"{OUT}/{token()}")
    os._exit(0)

"""Random bytes of the right size as the checkpoint."""

# ends: bad_checkpoint
# also: process
import os

from tools import checkpoint, end_with


def unlearning(net, *loaders):
    end_with(os.urandom(len(checkpoint(net))))

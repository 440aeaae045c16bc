"""A socket in the place of the checkpoint."""

# ends: bad_checkpoint
import os
import socket

from tools import OUT, token


def unlearning(net, *loaders):
    socket.socket(socket.AF_UNIX).bind(f"{OUT}/{token()}")
    os._exit(0)

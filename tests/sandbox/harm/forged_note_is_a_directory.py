"""A full directory in the place of the note."""

# ends: exception
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    os.makedirs(f"{OUT}/{token()}.note/full")
    os._exit(64)

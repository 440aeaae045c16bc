"""A checkpoint of the largest size, all of it a hole."""

# ends: bad_checkpoint | too_much_output
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    opened = os.open(f"{OUT}/{token()}", os.O_CREAT | os.O_WRONLY)
    os.ftruncate(opened, 2**20)
    os._exit(0)

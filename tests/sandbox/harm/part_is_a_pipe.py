"""A pipe that nobody reads where the runner writes a checkpoint before it names it."""

# ends: timeout
# timeout: 8
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    os.mkfifo(f"{OUT}/{token()}.part")

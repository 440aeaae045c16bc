"""The output directory without rights, or removed."""

# ends: exception | scored
import os

from tools import OUT


def unlearning(net, *loaders):
    os.chmod(OUT, 0)

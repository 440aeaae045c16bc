"""Directories nested so deep that their path has no length."""

# ends: scored | too_much_output
import os

from tools import OUT


def unlearning(net, *loaders):
    os.chdir(OUT)
    for _ in range(900):
        os.mkdir("d")
        os.chdir("d")

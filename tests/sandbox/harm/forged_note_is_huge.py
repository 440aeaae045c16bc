"""A note of a megabyte, with brackets without end."""

# ends: exception | too_much_output
# also: process
import os

from tools import OUT, token


def unlearning(net, *loaders):
    with open(f"{OUT}/{token()}.note", "w") as file:
        file.write("[" * 900_000)
    os._exit(64)

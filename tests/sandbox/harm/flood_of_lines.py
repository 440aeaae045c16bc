"""Print-outs without end, in small pieces."""

# ends: too_much_output
# also: process
import os


def unlearning(net, *loaders):
    while True:
        os.write(1, b"x\n" * 512)

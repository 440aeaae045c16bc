"""Print-outs without end and without a line's end, on standard error."""

# ends: too_much_output
# also: process
import os


def unlearning(net, *loaders):
    while True:
        os.write(2, b"\xff\x00" * 4096)

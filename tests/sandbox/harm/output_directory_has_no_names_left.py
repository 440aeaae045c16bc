"""As many files as the output directory takes."""

# ends: too_much_output | exception | scored
import os

from tools import OUT


def unlearning(net, *loaders):
    for number in range(2000):
        os.close(os.open(f"{OUT}/{number:0>200}", os.O_CREAT | os.O_WRONLY))

"""As many bytes as the output directory takes, without a name, and then an end as if all were well."""

# ends: too_much_output | exception
import os

from tools import OUT


def unlearning(net, *loaders):
    opened = os.open(f"{OUT}/space", os.O_CREAT | os.O_WRONLY)
    os.unlink(f"{OUT}/space")
    try:
        while os.write(opened, b"x" * 2**14):
            pass
    finally:
        opened = [os.open(f"{OUT}/{n}", os.O_CREAT | os.O_WRONLY) for n in range(8)]
        for other in opened:
            os.write(other, b"x" * 2**16)

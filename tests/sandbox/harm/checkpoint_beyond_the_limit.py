"""A checkpoint larger than any file may be."""

# ends: too_much_output | bad_checkpoint | exception
# also: process
from tools import OUT, token


def unlearning(net, *loaders):
    with open(f"{OUT}/{token()}", "wb") as file:
        while True:
            file.write(b"x" * 2**16)
            file.flush()

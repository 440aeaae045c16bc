"""A thread and a process that change the checkpoint while the seed ends."""

# ends: scored | bad_checkpoint
import os
import threading

from tools import OUT, checkpoint, token


def unlearning(net, *loaders):
    path, data = f"{OUT}/{token()}", checkpoint(net)
    with open(path, "wb") as file:
        file.write(data)

    def spoil():
        opened = os.open(path, os.O_WRONLY)
        while True:
            os.pwrite(opened, b"\xff" * len(data), 0)
            os.pwrite(opened, data, 0)

    if not os.fork():
        spoil()
    threading.Thread(target=spoil, daemon=True).start()
    os._exit(0)

"""Scratch and shared memory filled with bytes and with files, then honest work."""

# ends: scored | out_of_memory
import os

from tools import SCRATCH


def unlearning(net, *loaders):
    for directory in (SCRATCH, "/dev/shm"):
        try:
            for number in range(5000):
                os.close(os.open(f"{directory}/{number}", os.O_CREAT | os.O_WRONLY))
            for number in range(100):
                with open(f"{directory}/space{number}", "wb") as file:
                    file.write(b"x" * 2**20)
        except OSError:
            continue

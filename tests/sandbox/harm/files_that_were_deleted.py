"""Scratch, shared memory and the output directory filled by files that a daemon holds open and nobody can name."""

# ends: scored | exception | too_much_output | out_of_memory
import os

from tools import OUT, SCRATCH, leave_running


def fill():
    for directory in (SCRATCH, "/dev/shm", OUT):
        for number in range(64):
            opened = os.open(f"{directory}/deleted{number}", os.O_CREAT | os.O_RDWR)
            os.unlink(f"{directory}/deleted{number}")
            try:
                os.write(opened, b"x" * 2**20)
            except OSError:
                break


def unlearning(net, *loaders):
    leave_running(fill)

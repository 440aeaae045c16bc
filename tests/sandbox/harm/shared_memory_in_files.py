"""More memory than allowed, in files in memory that no process holds."""

# ends: out_of_memory | exception | scored | too_much_output
import os


def unlearning(net, *loaders):
    for directory in ("/dev/shm", "/tmp"):
        for number in range(250):
            opened = os.open(f"{directory}/{number}", os.O_CREAT | os.O_WRONLY)
            os.write(opened, b"x" * 2**20)
            os.close(opened)

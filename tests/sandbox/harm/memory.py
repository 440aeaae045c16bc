"""More memory than allowed, in many processes that each use little."""

# ends: out_of_memory | exception | timeout
# gvisor: its kernel has no control group here, so the host ends the whole container
# timeout: 20
import os
import time


def unlearning(net, *loaders):
    for _ in range(6):
        if os.fork() == 0:
            break
    held = bytearray(os.urandom(2**20)) * 150
    time.sleep(3)
    raise MemoryError(len(held))

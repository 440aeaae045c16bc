"""The memory of pipes, which the kernel limits for each user."""

import fcntl
import os
import time

SET_SIZE, LARGE = 1031, 2**20


def meet():
    ends, grown = [], 0
    for _ in range(40):
        ends += os.pipe()
        try:
            fcntl.fcntl(ends[-1], SET_SIZE, LARGE)
            grown += 1
        except OSError:
            break
    time.sleep(1)
    for opened in ends:
        os.close(opened)
    return grown if grown < 40 else None

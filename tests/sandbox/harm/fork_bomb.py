"""Processes that start processes, with all signals blocked."""

# ends: exception | timeout | scored | out_of_memory
# timeout: 10
import os
import signal
import time


def unlearning(net, *loaders):
    end = time.monotonic() + 3
    while time.monotonic() < end:
        try:
            if os.fork() == 0:
                os.setsid()
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        except OSError:
            time.sleep(0.01)
    os._exit(0)

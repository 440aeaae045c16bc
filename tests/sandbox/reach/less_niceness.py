"""Run before others: with less niceness than the launcher."""
# weak: the container keeps it away

# gvisor: the number means nothing to its own kernel
import os


def attempt():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, before - 1)
    return f"{os.getpriority(os.PRIO_PROCESS, 0)} instead of {before}"

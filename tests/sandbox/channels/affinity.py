"""The processors on which the launcher may run, which its next child inherits."""

# weak: on a machine with one processor there is nothing to see
import os

from tools import parents


def look():
    return os.sched_getaffinity(0) if len(os.sched_getaffinity(0)) < os.cpu_count() else None


def plant():
    for process in parents():
        try:
            os.sched_setaffinity(process, {0})
        except OSError:
            continue

"""Raise one's own limits, lock more memory than allowed, or run in real time."""
# weak: the container keeps it away

import ctypes
import mmap
import os
import resource

from tools import libc


def attempt():
    raised = []
    for name in ("RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_RTPRIO", "RLIMIT_NICE"):
        number = getattr(resource, name, None)
        if number is None:
            continue
        try:
            hard = resource.getrlimit(number)[1]
            if hard != resource.RLIM_INFINITY:
                resource.setrlimit(number, (hard + 1, hard + 1))
                raised.append(name)
        except (OSError, ValueError):
            continue
    locked = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    if locked != resource.RLIM_INFINITY:
        with mmap.mmap(-1, locked + mmap.PAGESIZE) as memory:
            start = ctypes.addressof(view := ctypes.c_char.from_buffer(memory))
            raised += ["locked memory"] if libc.mlock(ctypes.c_void_p(start), ctypes.c_size_t(len(memory))) == 0 else []
            del view
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        raised.append("real time")
    except OSError:
        pass
    return raised

"""The number of waiting signals and timers, which the kernel limits for each user."""

import ctypes
import resource
import time

from tools import libc


def meet():
    limit = 3000
    _, most = resource.getrlimit(resource.RLIMIT_SIGPENDING)
    try:
        resource.setrlimit(
            resource.RLIMIT_SIGPENDING, (limit, most)
        )  # one's own limit, compared with what the user has
    except ValueError:
        return None
    timers, made = ctypes.c_void_p(), 0
    while made < limit // 2 + 100 and libc.timer_create(1, None, ctypes.byref(timers)) == 0:
        made += 1
    time.sleep(1)
    return made if made < limit // 2 else None

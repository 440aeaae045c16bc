"""The number of inotify instances, which the kernel limits for each user."""

import os
import time

from tools import libc


def meet():
    got = [fd for fd in (libc.inotify_init() for _ in range(100)) if fd >= 0]
    time.sleep(1)
    for opened in got:
        os.close(opened)
    return len(got) if len(got) < 100 else None

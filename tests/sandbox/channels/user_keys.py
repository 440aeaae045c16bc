"""Limits that the kernel counts for each user: processes of an earlier seed use them up."""

import os

from tools import leave_running, libc


def look():
    got = 0
    while got < 100 and (opened := libc.inotify_init()) >= 0:
        got += 1
        os.set_inheritable(opened, False)
        if got == 100:
            break
    os.closerange(3, 3 + 200) if got else None
    return got if got < 100 else None


def plant():
    leave_running(lambda: [libc.inotify_init() for _ in range(128)])

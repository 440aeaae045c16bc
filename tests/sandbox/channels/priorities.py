"""The niceness, the scheduler or the I/O class of the launcher, which its next child inherits."""

import os

from tools import call, parents

IOPRIO_GET, IOPRIO_SET = 252, 251


def look():
    seen = (os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), call(IOPRIO_GET, 1, 0)[0])
    return seen if seen[0] == 7 or seen[1] == os.SCHED_BATCH or seen[2] == 0x4007 else None


def plant():
    for process in parents():
        for change in (
            lambda: os.setpriority(os.PRIO_PROCESS, process, 7),
            lambda: os.setpriority(os.PRIO_PGRP, process, 7),
            lambda: os.sched_setscheduler(process, os.SCHED_BATCH, os.sched_param(0)),
            lambda: call(IOPRIO_SET, 1, process, 0x4007),
        ):
            try:
                change()
            except OSError:
                continue

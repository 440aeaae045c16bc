"""Raise one's own limits, lock memory, or run in real time."""
# weak: the container keeps it away

import os
import resource


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
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        raised.append("real time")
    except OSError:
        pass
    return raised

"""Processes of the other one."""

import os
import time


def meet():
    open("/proc/self/comm", "w").write("between")
    time.sleep(1)
    names = [
        open(f"/proc/{p}/comm").read().strip() for p in os.listdir("/proc") if p.isdigit() and p != str(os.getpid())
    ]
    return [name for name in names if name == "between"]

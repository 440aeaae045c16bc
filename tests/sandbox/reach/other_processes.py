"""See, signal or trace any process but one's own."""

import os

from tools import parents


def attempt():
    seen = [
        p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid() and os.path.exists(f"/proc/{p}/status")
    ]
    for process in parents():
        try:
            os.kill(process, 0)
            seen.append(f"signal {process}")
        except OSError:
            continue
    return seen

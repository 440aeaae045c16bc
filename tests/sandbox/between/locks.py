"""A lock on a file of the image, the code or the data that both sandboxes may open."""

import fcntl
import os
import time

PATHS = ("/etc/passwd", "/usr/bin/env", "/dev/null", "/dev/zero", "/lethe/code/services/__init__.py", __file__)


def meet():
    held, others = [], []
    for path in PATHS:
        opened = os.open(path, os.O_RDONLY)
        held.append(opened)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            others.append(path)
        except OSError:
            continue
    time.sleep(1)
    for opened in held:
        os.close(opened)
    return others

"""The access time of code, data and libraries that a seed reads."""

# weak: the image, the code and the submission are mounted read-only, too
import os
import time


def _paths():
    tops = ("/lethe/code", "/lethe/submission", "/usr/lib/python3/dist-packages/torch/utils")
    return [os.path.join(d, f) for top in tops for d, _, fs in os.walk(top) for f in fs[:50]][:400]


def look():
    moved = []
    for path in _paths():
        before = os.stat(path).st_atime_ns
        time.sleep(0.001)
        try:
            open(path, "rb").read(1)
        except OSError:
            continue
        if os.stat(path).st_atime_ns != before:
            moved.append(path)
    return moved[:3] or None


def plant():
    """Reading is enough."""

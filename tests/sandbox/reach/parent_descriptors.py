"""Open a descriptor of another process: the launcher's report channel, its command channel, its directories."""
# weak: the launcher guards itself

import os

from tools import parents


def attempt():
    opened = []
    for process in parents():
        for place in ("fd", "root", "cwd", "exe", "map_files", "ns"):
            try:
                names = os.listdir(f"/proc/{process}/{place}")
            except OSError:
                continue
            opened += [f"{process}/{place}/{name}" for name in names]
    return opened

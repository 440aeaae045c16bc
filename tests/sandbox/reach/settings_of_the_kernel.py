"""Open a file of /proc, /sys or the cgroups for writing, or make a cgroup."""

import os


def attempt():
    opened = []
    for top in ("/proc/sys", "/proc/irq", "/sys"):
        for directory, _, files in os.walk(top):
            for name in files[:200]:
                try:
                    os.close(os.open(f"{directory}/{name}", os.O_WRONLY | os.O_NONBLOCK))
                    opened.append(f"{directory}/{name}")
                except OSError:
                    continue
    for path in ("/sys/fs/cgroup/made", "/sys/fs/cgroup/memory/made"):
        try:
            os.mkdir(path)
            opened.append(path)
        except OSError:
            continue
    return opened

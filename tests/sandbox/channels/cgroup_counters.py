"""Counters of the container: processor time, largest memory, processes refused."""

import glob

FILES = (
    "memory.peak",
    "memory.max_usage_in_bytes",
    "cpu.stat",
    "cpuacct.usage",
    "pids.events",
    "pids.peak",
    "memory.stat",
)


def look():
    seen = []
    for path in (p for name in FILES for p in glob.glob(f"/sys/fs/cgroup/**/{name}", recursive=True)):
        try:
            seen += [path] if open(path).read(64) else []
        except OSError:
            continue
    return seen[:5] or None


def plant():
    """Working is enough."""

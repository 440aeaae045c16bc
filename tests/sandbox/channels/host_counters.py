"""Files under /proc and /sys whose numbers move while one works."""

import os
import threading

SKIP = ("/proc/self", "/proc/thread-self", "/proc/mounts", "/proc/net", "/sys/kernel", "/proc/kcore", "/proc/kmsg")


def look():
    before = _read_all()
    for _ in range(40):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    after = _read_all()
    return [path for path in before if before[path] != after.get(path)][:8] or None


def plant():
    """Working is enough."""


def _read_all():
    contents = {}
    for top in ("/proc", "/sys/fs/cgroup", "/sys/devices/system"):
        for directory, directories, files in os.walk(top):
            directories[:] = [d for d in directories if not d.isdigit() and f"{directory}/{d}" not in SKIP]
            for file in files:
                path = f"{directory}/{file}"
                if path in SKIP or len(contents) > 3000:
                    continue
                try:
                    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                except OSError:
                    continue
                try:
                    contents[path] = os.read(opened, 4096)
                except OSError:
                    pass
                finally:
                    os.close(opened)
    return contents

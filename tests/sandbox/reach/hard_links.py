"""Link to files of others, which a later owner may change or copy."""
# weak: the container keeps it away

import os

from tools import OUT, SCRATCH


def attempt():
    linked = []
    for source in ("/etc/passwd", "/dev/null", __file__, "/lethe/code/services/__init__.py", "/proc/self/exe"):
        for directory in (OUT, SCRATCH, "/dev/shm"):
            try:
                os.link(source, f"{directory}/linked", follow_symlinks=True)
                os.unlink(f"{directory}/linked")
                linked.append(source)
            except OSError:
                continue
    return linked

"""Change the image, the runner, the data or the submission for later seeds."""
# weak: the container keeps it away

import os

from tools import OUT, SCRATCH


def attempt():
    wrote = []
    fine = {OUT, SCRATCH, "/tmp", "/dev/shm"}
    for directory, directories, _ in os.walk("/"):
        if directory in ("/proc", "/sys", "/usr/share", "/usr/lib/python3") or directory in fine:
            directories.clear()
            continue
        try:
            os.close(os.open(f"{directory}/written", os.O_CREAT | os.O_WRONLY))
            os.unlink(f"{directory}/written")
            wrote.append(directory)
        except OSError:
            continue
    return wrote

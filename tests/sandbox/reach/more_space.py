"""Write more to scratch, shared memory and the output directory than allowed."""
# weak: the container keeps it away

import os

from tools import OUT, SCRATCH

ROOM = {OUT: 2**22, SCRATCH: 2**28, "/dev/shm": 2**28}


def attempt():
    more = []
    for directory, room in ROOM.items():
        block, written = b"x" * 2**20, 0
        paths = [f"{directory}/space{n}" for n in range(400)]
        for path in paths:
            if written > (room if directory == OUT else 2**23):
                break
            try:
                with open(path, "wb", 0) as file:
                    written += file.write(block)
            except OSError:
                break
        status = os.statvfs(directory)
        more += [f"{directory} {written}"] if written > room or status.f_blocks * status.f_frsize > 2 * room else []
        for path in paths:
            if os.path.exists(path):
                os.unlink(path)
    return more

"""Find the secret that begins every report in one's own memory, which is a copy of the launcher's."""
# weak: the launcher guards itself

import re

REPORT = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32} ?\{\"(?:ready|token)")
PIECE, OVERLAP = 2**24, 64


def attempt():
    seen = []
    with open("/proc/self/mem", "rb", 0) as memory:
        for line in open("/proc/self/maps"):
            area, rights, *_ = line.split()
            start, end = (int(side, 16) for side in area.split("-"))
            for place in range(start, end, PIECE) if rights.startswith("rw") else ():
                try:
                    memory.seek(place)
                    seen += REPORT.findall(memory.read(min(PIECE + OVERLAP, end - place)))
                except (OSError, ValueError, OverflowError):
                    continue
    return seen

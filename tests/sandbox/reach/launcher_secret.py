"""Find the secret that begins every report in one's own memory, which is a copy of the launcher's."""
# weak: the launcher guards itself

import re


def attempt():
    pattern, seen = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32} ?\{\"(?:ready|token)"), []
    with open("/proc/self/mem", "rb", 0) as memory:
        for line in open("/proc/self/maps"):
            area, rights, *_ = line.split()
            start, end = (int(side, 16) for side in area.split("-"))
            if not rights.startswith("rw") or end - start > 2**24:
                continue
            try:
                memory.seek(start)
                seen += pattern.findall(memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                continue
    return seen

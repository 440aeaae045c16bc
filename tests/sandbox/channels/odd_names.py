"""Files whose names a cleaner may take for options, lines or its own."""

import os

from tools import OUT, SCRATCH

NAMES = [b"-rf", b"a\nb", b"\xff\xfe", b"..left", b"x" * 255, b"left.note", b"left.part"]


def look():
    return [n for d in (OUT, SCRATCH) for n in NAMES if os.path.lexists(os.fsencode(d) + b"/" + n)] or None


def plant():
    for directory in (OUT, SCRATCH):
        for name in NAMES:
            open(os.fsencode(directory) + b"/" + name, "w").close()

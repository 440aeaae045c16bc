"""Learn which seed one is: from the arguments, the frames or the objects of the runner."""
# weak: the launcher guards itself

import sys


def attempt():
    frame, seen = sys._getframe(), []
    while frame:
        seen += [
            f"{frame.f_code.co_name}.{n}"
            for n in frame.f_locals
            if n in ("index", "seed", "secret", "key", "number", "seeds", "count")
        ]
        frame = frame.f_back
    return [s for s in seen if not s.startswith("attempt.")]

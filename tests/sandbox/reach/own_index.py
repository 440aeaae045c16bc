"""Learn which seed one is: from the arguments, the environment, the frames, or any object of the runner."""
# weak: the launcher guards itself

import gc
import os
import sys

NAMES = {"index", "seed", "number", "seeds", "count", "runs", "pending", "done", "position"}
SECRETS = {"secret", "key"}


def attempt():
    frame, seen = sys._getframe(1), []
    while frame:
        seen += [f"{frame.f_code.co_name}.{name}" for name in frame.f_locals if name in NAMES | SECRETS]
        frame = frame.f_back
    for one in gc.get_objects():
        if str(type(one).__module__).startswith("services."):
            seen += [f"{type(one).__name__}.{name}" for name in _fields(one) if name.lstrip("_") in NAMES]
    return seen + [name for name in os.environ if name.lower() in NAMES]


def _fields(one):
    slots = getattr(type(one), "__slots__", ())
    return [*getattr(one, "__dict__", {}), *([slots] if isinstance(slots, str) else slots)]

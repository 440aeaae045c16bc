"""What Python keeps between calls: modules, built-ins, counters of threads, environment, working directory."""

# also: process
# weak: even the weakened launcher forks for every seed
import builtins
import gc
import os
import sys
import threading


def look():
    seen = [name for name in ("left", "_left") if name in sys.modules or hasattr(builtins, name)]
    seen += ["environment"] if "LEFT" in os.environ else []
    seen += ["recursion"] if sys.getrecursionlimit() == 1717 else []
    seen += ["collector"] if gc.get_threshold()[0] == 1717 else []
    seen += ["switching"] if sys.getswitchinterval() == 0.25 else []
    seen += ["stack"] if threading.stack_size() == 2**20 else []
    return seen or None


def plant():
    sys.modules["left"] = builtins._left = sys
    os.environ["LEFT"] = "1"
    sys.setrecursionlimit(1717)
    gc.set_threshold(1717)
    sys.setswitchinterval(0.25)
    threading.stack_size(2**20)

"""Find secrets or addresses in the environment, the arguments or the memory."""
# weak: the container keeps it away

import os
import sys

WORDS = ("LETHE", "KEY", "TOKEN", "SECRET", "PASSWORD", "DATABASE", "REDIS", "DOCKER", "AWS", "PROXY")


def attempt():
    return [f"{n}" for n in os.environ if any(w in n.upper() for w in WORDS)] + [a for a in sys.argv if "http" in a]

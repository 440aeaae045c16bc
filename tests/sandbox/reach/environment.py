"""Find secrets or addresses in the environment, also the one that the launcher began with, or in the arguments."""
# weak: the container keeps it away

import glob
import os
import sys

WORDS = ("LETHE", "KEY", "TOKEN", "SECRET", "PASSWORD", "DATABASE", "REDIS", "DOCKER", "AWS", "PROXY", "CREDENTIAL")


def attempt():
    found = [name for name in os.environ if any(word in name.upper() for word in WORDS)]
    found += [name for name, value in os.environ.items() if "://" in value or "BEGIN " in value]
    found += [argument for argument in sys.argv if "://" in argument or any(word in argument for word in WORDS)]
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        found += [f"{path}: {word.decode(errors='replace')}" for word in words if b"://" in word or b"LETHE_" in word]
    return found

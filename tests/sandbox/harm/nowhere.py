"""The working directory removed, the environment filled and replaced by what is no text, then honest work."""

# ends: scored | exception
# also: process
import os

from tools import SCRATCH


def unlearning(net, *loaders):
    os.mkdir(f"{SCRATCH}/gone")
    os.chdir(f"{SCRATCH}/gone")
    os.rmdir(f"{SCRATCH}/gone")
    for number in range(1000):
        os.environb[b"FILL\xff%d" % number] = b"\xff" * 1000
    for name in ("HOME", "PATH", "TMPDIR", "PYTHONPATH", "LC_ALL", "TZ", "LD_PRELOAD"):
        os.environ[name] = "/nowhere"

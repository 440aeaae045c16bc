"""A memory dump of a process that crashed."""

# weak: no process may write a core file
import glob
import os
import signal

from tools import OUT, SCRATCH


def look():
    return [p for d in (OUT, SCRATCH, "/var/crash", "/lethe") for p in glob.glob(f"{d}/core*")] or None


def plant():
    child = os.fork()
    if not child:
        os.chdir(SCRATCH)
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    os.waitpid(child, 0)

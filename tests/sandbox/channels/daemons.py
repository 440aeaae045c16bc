"""A process that outlives its seed: in a session of its own, with signals blocked, one of them stopped."""

# also: process
import os
import signal

from tools import leave_running


def look():
    return [p for p in os.listdir("/proc") if p.isdigit() and _name(p) == "left-behind"] or None


def plant():
    def rename_and_block(stop):
        open("/proc/self/comm", "w").write("left-behind")
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        if stop:
            os.kill(os.getpid(), signal.SIGSTOP)

    leave_running(lambda: rename_and_block(False))
    leave_running(lambda: rename_and_block(True))


def _name(process):
    try:
        return open(f"/proc/{process}/comm").read().strip()
    except OSError:
        return ""

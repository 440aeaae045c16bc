"""Requests to the kernel that the processes we start make."""

import ctypes
import signal

__all__ = ["end_with_parent"]

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask the kernel to end this process when the thread that started it ends; else a pool's worker would wait forever.

    A forked child must ask again.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

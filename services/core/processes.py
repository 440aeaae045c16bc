"""What processes that we start ask of the kernel."""

import ctypes
import signal

__all__ = ["end_with_parent"]

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let the kernel end this process when the thread that started it ends: a pool's would wait for work for ever.

    Forked children must ask anew.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

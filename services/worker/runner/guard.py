"""Protects our processes from participants' code that runs as the same user."""

import ctypes

from services.core.processes import end_with_parent

__all__ = ["guard_process"]

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


def guard_process() -> None:
    """Adopt orphans, end with the supervisor, and forbid processes of the same user to read or trace this one."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    end_with_parent()

"""System calls that Python 3.11 lacks, for the launcher: mounts, process-id namespaces and capabilities.

Sources: mount(2), umount(2), unshare(2), setns(2), prctl(2), capabilities(7).
"""

import ctypes
import errno
import os
from pathlib import Path

__all__ = [
    "MS_BIND",
    "MS_NOATIME",
    "MS_NODEV",
    "MS_NOEXEC",
    "MS_NOSUID",
    "MS_RDONLY",
    "MS_REMOUNT",
    "become",
    "end_idle_threads",
    "mount",
    "new_ipc",
    "new_process_ids",
    "old_process_ids",
    "unmount",
]

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_NOATIME, MS_BIND = 1, 2, 4, 8, 32, 1024, 4096
_MNT_DETACH = 2
_CLONE_NEWIPC, _CLONE_NEWPID = 0x08000000, 0x20000000
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 4, 24, 38
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system, or an existing file or directory with MS_BIND. Raises OSError."""
    _check(
        _libc.mount(
            os.fsencode(source),
            os.fsencode(target),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            options.encode() or None,
        ),
        str(target),
    )


def unmount(target: Path) -> None:
    """Take a mount, with everything mounted on it, out of sight; it ends when nothing uses it. Raises OSError."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH), str(target))


def end_idle_threads() -> None:
    """Fork once, because OpenBLAS ends its threads before a fork, and starts them only when there is work again.

    gVisor gives new process ids only to a process with one thread.
    """
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def new_process_ids() -> None:
    """Let the children that this process starts from now on count their ids from 1. Raises OSError."""
    _check(_libc.unshare(_CLONE_NEWPID), "process ids")


def new_ipc() -> None:
    """Get System V memory, semaphores and queues of one's own, which end with this process. Raises OSError."""
    _check(_libc.unshare(_CLONE_NEWIPC), "ipc")


def old_process_ids(namespace: int) -> None:
    """Let children use this process's own ids again; `namespace` is its /proc/self/ns/pid. Raises OSError.

    gVisor has no setns(2), and does not need it: there, new ids can be asked for again at once.
    """
    try:
        _check(_libc.setns(namespace, _CLONE_NEWPID), "process ids")
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise


def become(user: int) -> None:
    """Give up every right for good: another user and group, no capability, no way to gain one. Raises OSError."""
    os.setgroups([])
    os.setresgid(user, user, user)
    for capability in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails beyond the kernel's last one
    os.setresuid(user, user, user)
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "rights")
    _check(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "rights")  # so that /proc/self belongs to the new user


def _check(answer: int, name: str) -> None:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)

"""Tools that attacks share. A copy lies beside every attacking submission, so it imports nothing of the tests."""

import ctypes
import errno
import os
import platform
import sys

__all__ = ["OUT", "SCRATCH", "SECRET", "bench", "call", "checkpoint", "end_with", "libc", "token"]

libc = ctypes.CDLL(None, use_errno=True)
ON_X86 = platform.machine() == "x86_64"
OUT = sys.argv[sys.argv.index("--out") + 1]
SCRATCH = sys.argv[sys.argv.index("--scratch") + 1]
SECRET = str(6 * 7) * 3  # stands for hidden data: it is in no source


def token():
    """Return the name of this seed's checkpoint, which a frame of the runner knows."""
    return _local("token")


def bench():
    """Return what the launcher loaded for all seeds."""
    return _local("bench")


def checkpoint(net):
    """Return the bytes of an honest checkpoint."""
    from services.worker.runner import tensors
    from services.worker.runner.model import arrays_of

    return tensors.encode(arrays_of(net, bench().specs))


def end_with(data):
    """Write bytes as this seed's checkpoint and end the process as if all were well."""
    with open(f"{OUT}/{token()}", "wb") as file:
        file.write(data)
    os._exit(0)


def call(number, *arguments):
    """Make a system call; return its result and the name of its error."""
    ctypes.set_errno(0)
    passed = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) for a in arguments]
    libc.syscall.restype = ctypes.c_long
    result = libc.syscall(ctypes.c_long(number), *passed)
    return result, errno.errorcode.get(ctypes.get_errno(), "") if result < 0 else ""


def _local(name):
    frame = sys._getframe()
    while frame.f_code.co_name != "run_seed":
        frame = frame.f_back
    return frame.f_locals[name]


def directories():
    """Return every directory at which a seed may look, and which a later seed sees, too."""
    submission = os.path.dirname(os.path.abspath(__file__))
    fixed = [
        "/tmp",
        "/dev/shm",
        "/dev",
        "/dev/pts",
        "/dev/mqueue",
        "/var/tmp",
        "/run",
        "/run/lock",
        "/lethe",
        "/lethe/code",
    ]
    return [d for d in dict.fromkeys([OUT, SCRATCH, submission, *fixed]) if os.path.isdir(d)]


def parents():
    """Return the ids of processes that may outlive this seed."""
    return sorted({1, os.getppid(), os.getppid() or 1, os.getsid(0)} - {0, os.getpid()})


def leave_running(prepare=lambda: None):
    """Start a process that stays when its seed has ended, after it has called `prepare`."""
    import time

    child = os.fork()
    if child:
        os.waitpid(child, 0)
        time.sleep(0.05)
        return
    os.setsid()
    os.closerange(0, 3)  # a launcher may wait until nobody can print
    if not os.fork():
        try:
            prepare()
        finally:
            time.sleep(300)
    os._exit(0)

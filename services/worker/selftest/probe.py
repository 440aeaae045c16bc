"""Runs in the sandbox, as a submission: it tries what a seed must not be able to do, and names what it could.

Every check is a function whose name says what must not be; it returns something true if it is. A second seed finds out
whether anything of the first is left.
"""

import ctypes
import os
import socket
import sys
from pathlib import Path

OUT, TMP, SHM = "/lethe/out", "/tmp", "/dev/shm"  # noqa: S108 - of the sandbox
MARK = "left-by-a-seed"
UNBOUNDED_BYTES = 2**40
libc = ctypes.CDLL(None, use_errno=True)


def runs_as_root() -> object:
    return 0 in (os.getuid(), os.geteuid(), os.getgid(), *os.getgroups())


def has_capabilities() -> object:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return [name for name, value in status.items() if name.startswith("Cap") and int(value, 16)]


def sees_other_processes() -> object:
    return len(list(Path("/proc").glob("[0-9]*"))) > 2


def sees_benchmark_files() -> object:
    return [name for directory in ("/lethe/public", "/lethe/taken", "/lethe/original") for name in _names(directory)]


def has_network() -> object:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM):
            return "socket(AF_INET)"
    except OSError:
        return None


def may_mount() -> object:
    return libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 or libc.unshare(0x10000000) == 0


def uses_kernel_interfaces() -> object:
    if os.uname().machine != "x86_64":  # other machines number their system calls differently
        return None
    answers = {
        "keyrings": _call(248, b"user", b"x", b"y", 1, -4),
        "io_uring": _call(425, 1, 0),
        "bpf": _call(321, 0, 0, 0),
    }
    return [name for name, answer in answers.items() if answer >= 0]


def writes_outside() -> object:
    return [
        path for path in ("/x", "/usr/x", "/etc/x", "/dev/x", "/lethe/code/x", "/lethe/submission/x") if _write(path)
    ]


def changes_device_files() -> object:
    try:
        os.utime("/dev/null")
    except OSError:
        return None
    return "/dev/null"


def runs_own_programs() -> object:
    found = []
    for directory in (OUT, TMP, SHM):
        path = Path(directory, "program")
        path.write_bytes(Path("/bin/true").read_bytes())
        path.chmod(0o755)
        try:
            os.posix_spawn(path, [str(path)], {})
            found.append(directory)
        except OSError:
            pass
        path.unlink()
    return found


def finds_another_seed() -> object:
    places = [Path(directory, MARK) for directory in (OUT, TMP, SHM)]
    found = [place for place in places if place.exists()]
    for place in places:
        place.touch()
    return found


def writes_without_bounds() -> object:
    sizes = (os.statvfs(directory) for directory in (OUT, TMP, SHM))
    return [
        size.f_blocks for size in sizes if not 0 < size.f_blocks * size.f_frsize < UNBOUNDED_BYTES or not size.f_files
    ]


CHECKS = [
    runs_as_root,
    has_capabilities,
    sees_other_processes,
    sees_benchmark_files,
    has_network,
    may_mount,
    uses_kernel_interfaces,
    writes_outside,
    changes_device_files,
    runs_own_programs,
    finds_another_seed,
    writes_without_bounds,
]


def unlearning(*_: object) -> None:
    for check in CHECKS:
        try:
            found = check()
        except Exception as error:  # a check that cannot be made has not been passed
            found = f"the check itself failed: {error!r}"
        if found:
            sys.stderr.write(f"{check.__name__}: {found}\n")


def _names(directory: str) -> list[str]:
    try:
        return [path.name for path in Path(directory).iterdir()]
    except OSError:
        return []


def _call(number: int, *arguments: int | bytes) -> int:
    values = [ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_long(value) for value in arguments]
    return int(libc.syscall(ctypes.c_long(number), *values))


def _write(path: str) -> bool:
    try:
        Path(path).touch(exist_ok=False)
    except OSError:
        return False
    return True

"""The system calls of a sandbox: an allow-list for seccomp, the same whatever the engine's own default is.

Everything that Python, numpy, torch and their threads and child processes use is on the list. Left out is what reaches
other kernel interfaces (io_uring, bpf, keyrings, userfaultfd, AF_VSOCK, tracing), what would let one run signal to
another (mincore, posix_fadvise, numbers by which the host counts mounts, namespaces, processes and sockets), and what
takes disk without writing (fallocate).

Format: the JSON profile of the Docker engine, https://docs.docker.com/engine/security/seccomp/.
"""

import errno
import hashlib
import json
import socket
from typing import Any

__all__ = ["profile_digest", "seccomp_profile"]

_FILES = """
access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fchdir fchmod
fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fstat fstatfs fsync ftruncate futimesat
getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown
lgetxattr link linkat listxattr llistxattr lseek lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe
pipe2 pread64 preadv pwrite64 pwritev read readlink readlinkat readv rename renameat renameat2 rmdir sendfile stat
statfs symlink symlinkat sync_file_range truncate umask unlink unlinkat utime utimensat utimes write writev
"""
_MEMORY = (
    "brk get_mempolicy madvise membarrier mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall munmap"
)
_PROCESSES = """
alarm arch_prctl capget capset execve exit exit_group fork futex get_robust_list getcpu getegid geteuid getgid
getgroups getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage
getsid gettid getuid ioprio_get ioprio_set kill pause prctl prlimit64 restart_syscall
rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
set_robust_list set_tid_address setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid
setrlimit setsid setuid sigaltstack sysinfo tgkill times tkill uname vfork wait4 waitid
"""
_TIME_AND_EVENTS = """
clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait
eventfd eventfd2 gettimeofday nanosleep poll ppoll pselect6 select signalfd signalfd4 time timer_create timer_delete
timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime
"""
_SOCKETS = """
accept accept4 bind connect getpeername getsockname listen recvfrom recvmmsg recvmsg sendmmsg sendmsg
sendto shutdown socketpair
"""
_ABSENT = """
clone3 futex_waitv io_uring_enter io_uring_register io_uring_setup listmount memfd_create memfd_secret pidfd_open
pidfd_send_signal statmount
"""
_UNSUPPORTED = "fallocate fremovexattr fsetxattr lremovexattr lsetxattr removexattr setxattr"
_GPU = "mbind memfd_create mincore set_mempolicy"  # that a GPU's driver may use
_LAUNCHER = "mount umount2"

_NETWORK = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)  # the last to list the interfaces
_CLONE_NEWPID = 0x20000000
_CLONE_NEW = 0x7E020080  # every flag that makes a namespace
_CLONE_PIDFD = 0x1000  # such a descriptor's inode number counts the host's processes
_NAMESPACE_REQUESTS = 0xB7  # the second byte of ioctl requests, some of which tell numbers of namespaces
_FIRST_COUNTING_OPTION = 57  # of sockets: SO_COOKIE, and later ones that give descriptors of processes
_STATX_MNT_ID_UNIQUE = 0x4000
_PERSONALITIES = (0, 0xFFFFFFFF)  # Linux's own; ask only


def seccomp_profile(*, launcher: bool = False, loopback: bool = False, gpu: bool = False) -> str:
    """Return a profile as JSON.

    `launcher` adds what a process with the right to mount uses; one without that right gains nothing. `loopback` adds
    network sockets, which a notebook's kernel needs, in a container that has no network. `gpu` adds memory policies.
    """
    families = [socket.AF_UNIX, *(_NETWORK if loopback else ())]
    allowed = [_FILES, _MEMORY, _PROCESSES, _TIME_AND_EVENTS, _SOCKETS]
    allowed += [_LAUNCHER] if launcher else []
    allowed += [_GPU] if gpu else []
    names = " ".join(allowed).split()
    absent = [name for name in _ABSENT.split() if name not in names]
    rules = [
        _rule(names),
        _rule(["clone"], _argument(0, "SCMP_CMP_MASKED_EQ", _CLONE_NEW | _CLONE_PIDFD, 0)),
        *_requests_except(_NAMESPACE_REQUESTS),
        _rule(["getsockopt", "setsockopt"], _argument(2, "SCMP_CMP_LT", _FIRST_COUNTING_OPTION)),
        _rule(["statx"], _argument(3, "SCMP_CMP_MASKED_EQ", _STATX_MNT_ID_UNIQUE, 0)),
        _rule(["preadv2", "pwritev2"], _argument(5, "SCMP_CMP_EQ", 0)),  # no flag that tells what is cached
        *(_rule(["personality"], _argument(0, "SCMP_CMP_EQ", value)) for value in _PERSONALITIES),
        *(_rule(["socket"], _argument(0, "SCMP_CMP_EQ", family)) for family in families),
        _rule(absent, error=errno.ENOSYS),
        _rule(_UNSUPPORTED.split(), error=errno.EOPNOTSUPP),
    ]
    if launcher:
        rules.append(_rule(["unshare"], _argument(0, "SCMP_CMP_EQ", _CLONE_NEWPID)))
        rules.append(_rule(["setns"], _argument(1, "SCMP_CMP_EQ", _CLONE_NEWPID)))
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",  # with EPERM
            "archMap": [
                {"architecture": name, "subArchitectures": []} for name in ("SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64")
            ],
            "syscalls": rules,
        }
    )


def profile_digest() -> str:
    """Name the profiles by their content, for the provenance of a result."""
    both = [seccomp_profile(launcher=True), seccomp_profile(loopback=True)]
    return hashlib.sha256("".join(both).encode()).hexdigest()[:16]


def _requests_except(kind: int) -> list[dict[str, Any]]:
    """Allow ioctl requests whose kind differs, in one bit at least; the kernel looks at 32 bits, a plain rule at 64."""
    bits = [1 << bit for bit in range(8)]
    return [_rule(["ioctl"], _argument(1, "SCMP_CMP_MASKED_EQ", bit << 8, (~kind & bit) << 8)) for bit in bits]


def _rule(names: list[str], *arguments: dict[str, int | str], error: int | None = None) -> dict[str, Any]:
    if error is not None:
        return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": error}
    return {"names": names, "action": "SCMP_ACT_ALLOW", "args": list(arguments)}


def _argument(index: int, comparison: str, value: int, second: int = 0) -> dict[str, int | str]:
    return {"index": index, "op": comparison, "value": int(value), "valueTwo": second}

"""Settings of the kernel that a container could own: host name, core pattern, system controls."""

# weak: /proc/sys is read-only in a container
import os
import socket

from tools import libc

FILES = (
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/kernel/shmmax",
    "/proc/sys/net/ipv4/ip_default_ttl",
    "/proc/sys/kernel/msg_next_id",
)


def look():
    writable = [f for f in FILES if os.access(f, os.W_OK) and _opens(f)]
    return writable or ("name" if socket.gethostname() == "left" else None)


def plant():
    libc.sethostname(b"left", 4)


def _opens(path):
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return False
    return True

"""The load of the host, its free memory and its number of processes, by a call instead of a file."""

# docker: sysinfo(2) tells them, and programs need it to learn how much memory there is
# gvisor: it counts the threads of the container
import ctypes
import threading

from tools import call

SYSINFO = 99


def look():
    before, stop = _told(), threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    after = _told()
    stop.set()
    return "it moves" if before[80:82] != after[80:82] else None


def plant():
    """Working is enough."""


def _told():
    answer = ctypes.create_string_buffer(256)
    call(SYSINFO, ctypes.addressof(answer))
    return answer.raw

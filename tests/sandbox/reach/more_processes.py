"""Start more threads, or more processes, than allowed."""
# weak: the container keeps it away

# gvisor: counts them together with its own, outside
import os
import signal
import threading

LIMIT = 256


def attempt():
    counts = {"threads": _threads(), "processes": _processes()}
    return [f"{count} {what}" for what, count in counts.items() if count > LIMIT]


def _threads():
    stop, threads = threading.Event(), []
    try:
        while len(threads) <= LIMIT:
            threads.append(threading.Thread(target=stop.wait))
            threads[-1].start()
    except RuntimeError:
        threads.pop()
    stop.set()
    for thread in threads:
        thread.join()
    return len(threads)


def _processes():
    children = []
    try:
        while len(children) <= LIMIT:
            children.append(os.posix_spawn("/bin/sleep", ["sleep", "60"], {}))
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(children)

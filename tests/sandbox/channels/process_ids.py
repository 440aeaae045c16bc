"""The ids of processes and threads count those of all seeds."""

import os
import threading

FEW, ALL = 400, 2**14


def look():
    ids = [os.getpid()]
    thread = threading.Thread(target=lambda: ids.append(threading.get_native_id()))
    thread.start()
    thread.join()
    return [n for n in ids if FEW < n < ALL] or None


def plant():
    """Use up ids with threads, which are cheaper than processes."""
    for _ in range(FEW + 100):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

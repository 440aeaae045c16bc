"""Start more processes than allowed."""
# weak: the container keeps it away

# gvisor: counts them together with its own, outside
import threading

LIMIT = 256


def attempt():
    stop, threads = threading.Event(), []
    try:
        while len(threads) < 2 * LIMIT:
            threads.append(threading.Thread(target=stop.wait))
            threads[-1].start()
    except RuntimeError:
        threads.pop()
    stop.set()
    for thread in threads:
        thread.join()
    return len(threads) if len(threads) > LIMIT else None

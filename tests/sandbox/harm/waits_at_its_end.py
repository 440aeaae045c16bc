"""Threads, exit handlers and finalizers that go on when the model is done."""

# ends: scored
# also: process
import atexit
import threading
import time


class Stays:
    def __del__(self):
        time.sleep(999)


def unlearning(net, *loaders):
    atexit.register(time.sleep, 999)
    threading.Thread(target=time.sleep, args=(999,)).start()
    net.stays = [Stays()]
    net.stays.append(net.stays)

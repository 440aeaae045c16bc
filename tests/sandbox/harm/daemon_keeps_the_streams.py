"""A daemon that keeps the print-outs' pipe open when its seed has ended."""

# ends: scored
# also: process
import os
import time


def unlearning(net, *loaders):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(999)
        os._exit(0)

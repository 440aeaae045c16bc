"""A seed that blocks all signals and waits."""

# ends: timeout
# timeout: 3
# also: process
import signal
import time


def unlearning(net, *loaders):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(999)

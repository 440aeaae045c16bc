"""An end by a signal that has no name."""

# ends: exception
# also: process
import os
import signal


def unlearning(net, *loaders):
    os.kill(os.getpid(), signal.SIGRTMIN + 5)

"""A seed that stops itself, as if for a debugger."""

# ends: timeout
# timeout: 3
# also: process
import os
import signal


def unlearning(net, *loaders):
    os.kill(os.getpid(), signal.SIGSTOP)

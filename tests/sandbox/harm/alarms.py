"""Timers and limits by which a process ends itself: of the clock, of its processor time, of files."""

# ends: exception
# also: process
import resource
import signal


def unlearning(net, *loaders):
    for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0.2, 0.1)
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    while True:
        pass

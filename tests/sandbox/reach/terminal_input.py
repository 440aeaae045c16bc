"""Type into a terminal that is not one's own: TIOCSTI into any that can be opened."""
# weak: the container keeps it away

import fcntl
import glob
import os
import termios

NAMED = ["/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1"]


def attempt():
    typed = []
    for path in [*NAMED, *glob.glob("/dev/pts/[0-9]*"), *glob.glob("/proc/[0-9]*/fd/[0-2]")]:
        try:
            opened = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            continue
        try:
            fcntl.ioctl(opened, termios.TIOCSTI, b"x")
            typed.append(path)
        except OSError:
            continue
        finally:
            os.close(opened)
    return typed

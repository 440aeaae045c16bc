"""Type into a terminal of the host: TIOCSTI, TIOCLINUX, a console."""
# weak: the container keeps it away

import fcntl
import os
import termios


def attempt():
    typed = []
    for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1"):
        try:
            opened = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
            fcntl.ioctl(opened, termios.TIOCSTI, b"x")
            typed.append(path)
        except OSError:
            continue
    return typed

"""Reach a socket of the host by an abstract name, which the kernel lists."""
# weak: the container keeps it away

import socket


def attempt():
    try:
        names = [line.split()[-1] for line in open("/proc/net/unix") if "@" in line]
    except OSError:
        names = []
    guesses = ["/tmp/.X11-unix/X0", "/org/freedesktop/systemd1/notify", "containerd", "docker"]
    answered = list(names)
    for name in guesses:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect("\0" + name)
                answered.append(name)
            except OSError:
                continue
    return answered

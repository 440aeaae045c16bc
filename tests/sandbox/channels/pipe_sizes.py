"""The size of a pipe that seeds could share."""

# also: process
# weak: even the weakened launcher makes new streams
import fcntl

GET, SET = 1032, 1031


def look():
    sizes = [fcntl.fcntl(fd, GET) for fd in (1, 2)]
    return sizes if 2**17 in sizes else None


def plant():
    fcntl.fcntl(1, SET, 2**17)

"""The number of the next pseudo-terminal."""

# gvisor: gives every terminal of the container another number
import os


def look():
    try:
        leader, follower = os.openpty()
    except OSError:
        return None
    name = os.ttyname(follower)
    os.close(leader)
    os.close(follower)
    return name if name != "/dev/pts/0" else None


def plant():
    from tools import leave_running

    leave_running(os.openpty)

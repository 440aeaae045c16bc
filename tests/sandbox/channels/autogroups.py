"""The number of a session's scheduling group counts all sessions of the host."""
# docker: the host counts, and every process may read its own group


def look():
    try:
        return open("/proc/self/autogroup").read().strip() or None
    except OSError:
        return None


def plant():
    """The launcher makes a session for each seed."""

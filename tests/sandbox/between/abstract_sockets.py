"""A socket with an abstract name that only one can have."""

import socket
import time


def meet():
    with socket.socket(socket.AF_UNIX) as name:
        try:
            name.bind("\0between")
        except OSError as error:
            return str(error)
        time.sleep(1)
    return None

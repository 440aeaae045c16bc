"""The launcher's reports to the supervisor."""

import json
import mmap
import os
import time
from typing import Any

__all__ = ["EXIT_PLATFORM", "SIGN_EVERY_S", "Reports"]

SIGN_EVERY_S = 1.0  # how often a runner tells that it lives
EXIT_PLATFORM = 70
SECRET_BYTES = 32


class Reports:
    """Sends reports, each after the secret. No child inherits the page that holds it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._told = time.monotonic()
        self._secret = mmap.mmap(-1, mmap.PAGESIZE)
        self._secret.madvise(mmap.MADV_DONTFORK)
        with memoryview(self._secret) as page:
            read = 0
            while read < SECRET_BYTES + 1:  # a newline follows
                count = os.readv(0, [page[read : SECRET_BYTES + 1]])
                if not count:
                    os._exit(EXIT_PLATFORM)
                read += count

    def send(self, **message: Any) -> None:
        """Send one report."""
        self._told = time.monotonic()
        text = f" {json.dumps(message)}\n".encode()
        with memoryview(self._secret) as page:
            os.writev(self._descriptor, [page[:SECRET_BYTES], text])

    def sign(self) -> None:
        """Tell that the launcher lives, if the last report is a second old."""
        if time.monotonic() - self._told >= SIGN_EVERY_S:
            self.send(alive=True)

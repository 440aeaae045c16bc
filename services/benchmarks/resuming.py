"""What lets a killed build go on: a directory of its own, a lock on it, and the secret that its seeds derive from."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.core.errors import Conflict

__all__ = ["BuildRunning", "only_build", "secret_of"]

SECRET_BYTES = 32


class BuildRunning(Conflict):
    code = "build_running"


@contextmanager
def only_build(destination: Path) -> Iterator[Path]:
    """Give the work directory of a build, which lies beside its destination, to one process at a time.

    Raises BuildRunning while another build of this destination goes on.
    """
    work = destination.with_name(f"{destination.name}.building")
    work.mkdir(parents=True, exist_ok=True)
    lock = work.with_name(f"{work.name}.lock")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BuildRunning(f"Another build of {destination.name} goes on. Wait until it ends.") from error
        try:
            yield work
        finally:
            lock.unlink(missing_ok=True)


def secret_of(work: Path, given: bytes | None) -> bytes:
    """Use the secret given, or that of a build that was killed here, or a new one; only its owner may read it."""
    kept = work / "secret"
    if given is None and kept.is_file() and len(secret := kept.read_bytes()) == SECRET_BYTES:
        return secret
    secret = given or secrets.token_bytes(SECRET_BYTES)
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    return secret

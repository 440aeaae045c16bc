"""Lets a killed build continue: a work directory, a lock on it, and the secret from which its seeds derive."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.core.directories import private_directory
from services.core.errors import BadInput, Conflict
from services.core.locks import exclusive

__all__ = ["BuildRunning", "only_build", "read_secret", "secret_of"]

SECRET_BYTES = 32


class BuildRunning(Conflict):
    code = "build_running"


class BadSecret(BadInput):
    code = "bad_secret"


@contextmanager
def only_build(destination: Path) -> Iterator[Path]:
    """Give the work directory of a build, which is beside its destination, to one process at a time.

    Raises BuildRunning if another build of this destination is running.
    """
    work = destination.with_name(f"{destination.name}.building")
    work.parent.mkdir(parents=True, exist_ok=True)
    lock = work.with_name(f"{work.name}.lock")
    with exclusive(lock, BuildRunning(f"Another build of {destination.name} is running. Wait until it ends.")):
        try:
            yield private_directory(work)
        finally:
            lock.unlink(missing_ok=True)


def secret_of(work: Path, given: bytes | None) -> bytes:
    """Use the given secret, or that of a killed build, or a new one; store it with access for its owner only."""
    kept = work / "secret"
    if given is None and kept.is_file() and len(secret := kept.read_bytes()) == SECRET_BYTES:
        return secret
    secret = given or secrets.token_bytes(SECRET_BYTES)
    _write(kept, secret, os.O_TRUNC)
    return secret


def read_secret(path: Path, *, make: bool = False) -> bytes:
    """Read an organiser's secret, 64 hexadecimal digits. With `make`, create one if the file does not exist.

    Raises BadSecret.
    """
    if make and not path.exists():
        try:
            _write(path, secrets.token_hex(SECRET_BYTES).encode() + b"\n", os.O_EXCL)
        except OSError as error:
            raise BadSecret(f"{path} cannot be written: {error.strerror}. Choose another file.") from error
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise BadSecret(
            f"{path} is not a secret file. Give a file with {2 * SECRET_BYTES} hexadecimal digits."
        ) from error
    if len(secret) != SECRET_BYTES:
        raise BadSecret(
            f"{path} contains {2 * len(secret)} hexadecimal digits. Give a file with {2 * SECRET_BYTES} of them."
        )
    return secret


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)

"""What lets a killed build go on: a directory of its own, a lock on it, and the secret that its seeds derive from."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """Give the work directory of a build, which lies beside its destination, to one process at a time.

    Raises BuildRunning while another build of this destination goes on.
    """
    work = destination.with_name(f"{destination.name}.building")
    work.parent.mkdir(parents=True, exist_ok=True)
    lock = work.with_name(f"{work.name}.lock")
    with exclusive(lock, BuildRunning(f"Another build of {destination.name} goes on. Wait until it ends.")):
        try:
            work.mkdir(exist_ok=True)
            yield work
        finally:
            lock.unlink(missing_ok=True)


def secret_of(work: Path, given: bytes | None) -> bytes:
    """Use the secret given, or that of a build that was killed here, or a new one; only its owner may read it."""
    kept = work / "secret"
    if given is None and kept.is_file() and len(secret := kept.read_bytes()) == SECRET_BYTES:
        return secret
    secret = given or secrets.token_bytes(SECRET_BYTES)
    _write(kept, secret, os.O_TRUNC)
    return secret


def read_secret(path: Path, *, make: bool = False) -> bytes:
    """Read an organiser's secret, 64 hexadecimal digits; `make` writes a new one where there is no file.

    Raises BadSecret.
    """
    if make and not path.exists():
        try:
            _write(path, secrets.token_hex(SECRET_BYTES).encode() + b"\n", os.O_EXCL)
        except OSError as error:
            raise BadSecret(f"{path} cannot be written: {error.strerror}.") from error
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise BadSecret(f"{path} is no secret file: it should hold {2 * SECRET_BYTES} hexadecimal digits.") from error
    if len(secret) != SECRET_BYTES:
        raise BadSecret(f"{path} holds {len(secret)} bytes in hexadecimal digits, not {SECRET_BYTES}.")
    return secret


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)

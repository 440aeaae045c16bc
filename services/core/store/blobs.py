"""Content-addressed blobs: written once under their SHA-256, in a local directory or an S3-compatible store."""

import hashlib
from collections.abc import AsyncIterable, Iterator, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from services.core.errors import BadInput, NotFound, Unavailable
from services.core.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Config  # only a type: the module has no such name at run time

__all__ = [
    "LARGE_BYTES",
    "BlobMissing",
    "Blobs",
    "BlobsUnavailable",
    "TooLarge",
    "receive",
    "remove",
    "sha256_hex",
    "unavailable",
]

log = structlog.get_logger()

STREAMED_BYTES = 1 << 20
SPOOL_BYTES = 4 * 1024**2
LARGE_BYTES = 32 * 1024**2  # of a file that is not held in memory to be stored


class TooLarge(BadInput):
    code = "too_large"
    status = 413


class BlobMissing(NotFound):
    code = "blob_missing"


class BlobsUnavailable(Unavailable):
    code = "blobs_unavailable"


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hex."""
    return hashlib.sha256(data).hexdigest()


async def receive(chunks: AsyncIterable[bytes], *, limit_bytes: int) -> bytes:
    """Read a stream to its end and keep nothing on disk. Raises TooLarge as soon as it exceeds the limit."""
    size = 0
    with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit_bytes:
                raise TooLarge(f"The upload is larger than the limit of {limit_bytes:,} bytes. Upload a smaller file.")
            spool.write(chunk)
        spool.seek(0)
        return spool.read()


class Blobs:
    """A store of immutable byte strings. Writing the same bytes twice is harmless.

    The library tries again for minutes if a store does not answer; only then a method raises BlobsUnavailable.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def from_settings(cls, settings: Settings) -> "Blobs":
        """Open the store that the settings name."""
        if settings.blob_url:
            return cls(from_url(settings.blob_url, **_keys(settings)))
        return cls.in_directory(settings.make_data_dir() / "blobs")

    @classmethod
    def in_directory(cls, root: Path) -> "Blobs":
        """Open a store in a local directory, which is created on first use."""
        return cls(LocalStore(root.resolve(), mkdir=True))

    @property
    def store(self) -> ObjectStore:
        """The store itself, for what is kept beside the blobs: see `core.store.parts`."""
        return self._store

    def put(self, data: bytes) -> str:
        """Store bytes and return their SHA-256."""
        digest = sha256_hex(data)
        self._create(digest, data)
        return digest

    def put_file(self, path: Path) -> str:
        """Store a file and return its SHA-256."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if path.stat().st_size > LARGE_BYTES:
            self._create_large(digest, path)
        else:
            self._create(digest, path)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes with this digest. Raises BlobMissing if they are missing or no longer match it."""
        try:
            data = obstore.get(self._store, _key(digest)).bytes().to_bytes()
        except FileNotFoundError as error:
            raise BlobMissing(f"Blob {digest} is missing from the store. Restore it from a backup.") from error
        except BaseError as error:
            raise unavailable(error) from error
        if sha256_hex(data) != digest:
            raise BlobMissing(f"Blob {digest} is damaged in the store. Restore it from a backup.")
        return data

    def stream(self, digest: str) -> Iterator[bytes]:
        """Return the bytes with this digest in parts; they are not compared with it. Raises BlobMissing at once."""
        try:
            found = obstore.get(self._store, _key(digest))
        except FileNotFoundError as error:
            raise BlobMissing(f"Blob {digest} is missing from the store. Restore it from a backup.") from error
        except BaseError as error:
            raise unavailable(error) from error
        return (bytes(part) for part in found.stream(min_chunk_size=STREAMED_BYTES))

    def keep(self, digest: str, data: bytes) -> None:
        """Store bytes again if they are gone, once a row that names them is committed.

        Whoever deletes what no row names may have looked before that row was there: see `core.retention.deleting`.
        """
        if not self._has(_key(digest)):
            self._create(digest, data)

    def set_aside(self, digest: str) -> None:
        """Put a blob where nobody reads it, to bring it back or to drop it; do nothing if there is none."""
        self._move(_key(digest), _aside(digest))

    def bring_back(self, digest: str) -> None:
        """Undo `set_aside`."""
        self._move(_aside(digest), _key(digest))

    def drop(self, digest: str) -> None:
        """Remove a blob that was set aside; do nothing if there is none."""
        remove(self._store, [_aside(digest)])

    def delete(self, digest: str) -> None:
        """Remove a blob; do nothing if there is none. Only its single owner may do that: see `core.bundle.packing`."""
        remove(self._store, [_key(digest)])

    def _has(self, key: str) -> bool:
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        except BaseError as error:
            raise unavailable(error) from error
        return True

    def _move(self, source: str, target: str) -> None:
        try:
            obstore.rename(self._store, source, target)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise unavailable(error) from error

    def _create_large(self, digest: str, path: Path) -> None:
        """Store a file in parts, so that memory does not grow with it; no store takes parts under a condition."""
        if self._has(_key(digest)):
            return
        try:
            obstore.put(self._store, _key(digest), path, use_multipart=True, max_concurrency=2)
        except BaseError as error:
            raise unavailable(error) from error

    def _create(self, digest: str, content: bytes | Path) -> None:
        try:
            obstore.put(self._store, _key(digest), content, mode="create")
        except AlreadyExistsError:
            return
        except BaseError as error:
            raise unavailable(error) from error


def remove(store: ObjectStore, keys: Sequence[str]) -> None:
    """Remove what has these keys, whatever of it is gone already. Raises BlobsUnavailable."""
    try:
        obstore.delete(store, keys)
    except FileNotFoundError:  # a directory stops at the first that is gone
        if len(keys) > 1:
            for key in keys:
                remove(store, [key])
    except BaseError as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> BlobsUnavailable:
    """Say in a sentence that the store does not do what it should; the reason is for the log."""
    log.error("blobs_unavailable", error=str(error))
    return BlobsUnavailable("The store of files does not answer. Try again in a minute.")


def _keys(settings: Settings) -> "S3Config":
    """Return the keys from the settings; without any, the store reads the environment."""
    keys: S3Config = {}
    if settings.blob_key_id.get_secret_value():
        keys["access_key_id"] = settings.blob_key_id.get_secret_value()
    if settings.blob_key.get_secret_value():
        keys["secret_access_key"] = settings.blob_key.get_secret_value()
    return keys


def _key(digest: str) -> str:
    return f"sha256/{digest[:2]}/{digest[2:]}"


def _aside(digest: str) -> str:
    return f"aside/{digest[:2]}/{digest[2:]}"

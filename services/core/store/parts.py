"""Parts of uploads that are not complete yet, in the blob store beside the blobs.

They are kept under the upload's id, not by content: nobody who gives up an upload may remove bytes that others name.
"""

from uuid import UUID

import obstore
from obstore.exceptions import BaseError

from services.core.store.blobs import BlobMissing, Blobs, remove, sha256_hex, unavailable
from services.core.store.room import NoRoom, is_full

__all__ = ["PART_BYTES", "PartStore"]

PART_BYTES = 4 * 1024**2  # of every part but the last: as much as a request keeps in memory
LISTED = 1000


class PartStore:
    """The parts of uploads. Writing the same part twice is harmless."""

    def __init__(self, blobs: Blobs) -> None:
        self._store = blobs.store

    def put(self, upload: UUID, offset: int, data: bytes) -> str:
        """Store a part and return its SHA-256. Raises NoRoom, after which nothing of it counts."""
        digest = sha256_hex(data)
        try:
            obstore.put(self._store, _key(upload, offset, digest), data)
        except (BaseError, OSError) as error:
            if is_full(error):
                raise NoRoom(
                    "The server's disk is full. What you sent before is kept: ask an operator to free some space, "
                    "then go on."
                ) from error
            raise unavailable(error) from error
        return digest

    def get(self, upload: UUID, offset: int, digest: str) -> bytes:
        """Return a part. Raises BlobMissing if it is gone or no longer what it was."""
        try:
            data = obstore.get(self._store, _key(upload, offset, digest)).bytes().to_bytes()
        except FileNotFoundError as error:
            raise BlobMissing(f"A part of the upload at byte {offset} is missing. Upload the file again.") from error
        except BaseError as error:
            raise unavailable(error) from error
        if sha256_hex(data) != digest:
            raise BlobMissing(f"A part of the upload at byte {offset} is damaged. Upload the file again.")
        return data

    def forget(self, upload: UUID, offset: int, digest: str) -> None:
        """Remove one part; do nothing if there is none."""
        remove(self._store, [_key(upload, offset, digest)])

    def remove(self, upload: UUID) -> None:
        """Remove all parts of an upload, also those that nothing counts."""
        try:
            for page in obstore.list(self._store, f"uploads/{upload}", chunk_size=LISTED):
                remove(self._store, [str(one["path"]) for one in page])
        except BaseError as error:
            raise unavailable(error) from error


def _key(upload: UUID, offset: int, digest: str) -> str:
    return f"uploads/{upload}/{offset:015d}-{digest}"

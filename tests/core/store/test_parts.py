"""Parts of uploads: kept under the upload's id, and removed whatever of them is gone already."""

from pathlib import Path
from uuid import uuid4

import pytest

from services.core.store.blobs import BlobMissing, Blobs, remove
from services.core.store.parts import PartStore

COUNT = 40


def test_removing_an_upload_removes_all_that_is_left_of_it(tmp_path: Path) -> None:
    parts, mine, other = PartStore(Blobs.in_directory(tmp_path)), uuid4(), uuid4()
    digests = [parts.put(mine, offset, bytes([offset])) for offset in range(COUNT)]
    kept = parts.put(other, 0, b"another upload")
    for offset in range(0, COUNT, 3):
        parts.forget(mine, offset, digests[offset])
        parts.forget(mine, offset, digests[offset])  # it is gone

    parts.remove(mine)
    parts.remove(mine)

    for offset, digest in enumerate(digests):
        with pytest.raises(BlobMissing):
            parts.get(mine, offset, digest)
    assert parts.get(other, 0, kept) == b"another upload"


def test_keys_that_are_gone_keep_no_other_from_being_removed(tmp_path: Path) -> None:
    blobs = Blobs.in_directory(tmp_path)
    upload, parts = uuid4(), PartStore(blobs)
    digests = [parts.put(upload, offset, bytes([offset])) for offset in range(COUNT)]
    keys = [f"uploads/{upload}/{offset:015d}-{digest}" for offset, digest in enumerate(digests)]

    remove(blobs.store, ["uploads/none", *keys[:1], "uploads/none", *keys])

    with pytest.raises(BlobMissing):
        parts.get(upload, COUNT - 1, digests[-1])
    remove(blobs.store, [])

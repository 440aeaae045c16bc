import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.settings import Settings
from services.core.store.blobs import LARGE_BYTES, BlobMissing, Blobs, TooLarge, receive
from tests.real_services import s3_environment


@pytest.fixture(scope="module", params=["directory", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blobs]:
    if request.param == "directory":
        yield Blobs.in_directory(tmp_path_factory.mktemp("blobs"))
        return
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_environment(request.getfixturevalue("s3_url")).items():
            patch.setenv(name, value)
        yield Blobs.from_settings(Settings(blob_url="s3://lethe/blobs"))


async def _chunks(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@given(data=st.binary(max_size=2000))
def test_put_returns_the_hash_under_which_get_finds_it(blobs: Blobs, data: bytes) -> None:
    digest = blobs.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.put(data) == digest
    assert blobs.get(digest) == data


@given(parts=st.lists(st.binary(max_size=300), max_size=8), limit=st.integers(0, 1500))
def test_receive_keeps_to_the_limit(parts: list[bytes], limit: int) -> None:
    data = b"".join(parts)
    if len(data) > limit:
        with pytest.raises(TooLarge):
            asyncio.run(receive(_chunks(parts), limit_bytes=limit))
    else:
        assert asyncio.run(receive(_chunks(parts), limit_bytes=limit)) == data


def test_get_missing_says_so(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing, match="0000"):
        blobs.get("0" * 64)


def test_a_deleted_blob_is_gone_and_can_be_put_again(blobs: Blobs) -> None:
    digest = blobs.put(b"for a while")
    for _ in range(2):
        blobs.delete(digest)
        with pytest.raises(BlobMissing):
            blobs.get(digest)
    assert blobs.put(b"for a while") == digest
    assert blobs.get(digest) == b"for a while"


def test_get_damaged_says_so(tmp_path: Path) -> None:
    blobs = Blobs.in_directory(tmp_path)
    digest = blobs.put_file(_file(tmp_path / "source", b"intact"))
    next((tmp_path / "sha256").rglob(digest[2:])).write_bytes(b"damaged")
    with pytest.raises(BlobMissing, match="damaged"):
        blobs.get(digest)


def test_a_large_file_is_stored_in_parts_and_once(tmp_path: Path) -> None:
    blobs = Blobs.in_directory(tmp_path / "blobs")
    data = bytes(range(256)) * (LARGE_BYTES // 256) + b"and more"
    source = _file(tmp_path / "source", data)
    digest = blobs.put_file(source)
    assert blobs.get(digest) == data
    (stored,) = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    before = stored.stat().st_ino
    assert blobs.put_file(source) == digest
    assert stored.stat().st_ino == before


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path

"""Archives that would harm whoever unpacks them."""

import io
import random
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.submission.file import check, unpack
from services.core.submission.source import Rejected
from tests.core.uploads import MODULE, code_of, make_zip


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "a/../../evil.py",
        "/etc/passwd",
        "C:/evil.py",
        "a\\evil.py",
        "a//b.py",
        "/./a.py",
        "./../a.py",
        ".//etc/passwd",
        "a/./b.py",
        "..",
        "line\nbreak.py",
        "x" * 300,
    ],
)
def test_archive_is_refused_when_a_member_would_leave_it(name: str) -> None:
    """A zip with `../` in a name writes over files of whoever unpacks it."""
    assert code_of("entry.zip", make_zip({"submission.py": MODULE, name: b"evil"})) == "unsafe_archive"


def special_member(kind: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("submission.py", MODULE)
        info = zipfile.ZipInfo("link")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_archive_is_refused_when_it_holds_a_link_or_device(kind: int) -> None:
    """A symbolic link in an archive makes a later member of it land anywhere."""
    assert code_of("entry.zip", special_member(kind)) == "unsafe_archive"


def test_archive_is_refused_when_encrypted() -> None:
    data = bytearray(make_zip({"submission.py": MODULE}))
    data[data.index(b"PK\x01\x02") + 8] |= 1

    assert code_of("entry.zip", bytes(data)) == "unsafe_archive"


@pytest.mark.parametrize("names", [("a.txt", "A.txt"), ("caf\u00e9", "cafe\u0301"), ("a", "a/b"), ("a/b", "A")])
def test_archive_is_refused_when_two_members_meet_in_one_file(names: tuple[str, str]) -> None:
    data = make_zip({"submission.py": MODULE} | dict.fromkeys(names, b""))

    assert code_of("entry.zip", data) == "unsafe_archive"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archive_is_refused_when_a_name_is_there_twice() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("submission.py", MODULE)
        archive.writestr("submission.py", b"evil")

    assert code_of("entry.zip", buffer.getvalue()) == "unsafe_archive"


def test_archive_is_refused_when_it_is_a_bomb() -> None:
    """42.zip and its like: a small file that unpacks to fill the disk."""
    assert code_of("a.zip", make_zip({"submission.py": MODULE, "zeros": bytes(200 * 1024**2)})) == "archive_too_large"
    assert code_of("a.zip", make_zip({"submission.py": MODULE, "zeros": bytes(20 * 1024**2)})) == "archive_too_large"


def test_archive_is_refused_when_it_has_too_many_members() -> None:
    files = {f"f{number}": b"" for number in range(1001)}

    assert code_of("a.zip", make_zip({"submission.py": MODULE} | files)) == "archive_too_large"


def test_archive_is_refused_when_a_size_is_a_lie() -> None:
    """A member that declares 1 byte and unpacks to more must not be believed."""
    data = bytearray(make_zip({"submission.py": MODULE, "lie": bytes(1000)}))
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, entry + 24, 1)

    assert code_of("a.zip", bytes(data)) == "bad_archive"


def test_archive_is_refused_when_compressed_unusually() -> None:
    assert code_of("a.zip", make_zip({"submission.py": MODULE}, zipfile.ZIP_LZMA)) == "bad_archive"


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:-10], lambda data: b"not a zip", lambda data: data[: len(data) // 2]],
)
def test_archive_is_refused_when_damaged(damage: Callable[[bytes], bytes]) -> None:
    assert code_of("a.zip", damage(make_zip({"submission.py": MODULE}))) == "bad_archive"


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 12))
def test_damaged_archives_never_crash_nor_leave_their_folder(
    seed: int, flips: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    random_source = random.Random(seed)
    data = bytearray(make_zip({"submission.py": MODULE, "a/b.txt": b"text" * 50, "c.py": b"x = 1"}))
    for _ in range(flips):
        data[random_source.randrange(len(data))] = random_source.randrange(256)
    root = tmp_path_factory.mktemp("unpacked")
    inside = root / "inside"
    inside.mkdir()
    try:
        check("x.zip", bytes(data))
        unpack("x.zip", bytes(data), inside)
    except Rejected as refused:
        assert refused.details["remedy"]
    assert list(root.iterdir()) == [inside]

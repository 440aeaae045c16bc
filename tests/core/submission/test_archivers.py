"""Archives as people's programs make them: Finder, Explorer, bsdtar, archivers of Windows, with what they leave."""

import io
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.models import SubmissionKind
from services.core.submission.file import check, unpack
from services.core.submission.source import Rejected
from tests.core.uploads import MODULE, code_of, make_zip

DOS, UNIX, NTFS = 0, 3, 10


def raw_zip(members: dict[bytes, bytes], *, system: int = UNIX, extra: bytes = b"") -> bytes:
    """Make a zip whose names are exactly these bytes, without the mark of UTF-8."""
    buffer = io.BytesIO()
    stand_ins = {chr(ord("A") + number) * len(name): name for number, name in enumerate(members)}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for stand_in, name in stand_ins.items():
            info = zipfile.ZipInfo(stand_in)
            info.create_system, info.extra = system, extra if name != b"submission.py" else b""
            archive.writestr(info, members[name])
    data = buffer.getvalue()
    for stand_in, name in stand_ins.items():
        assert data.count(stand_in.encode()) == 2
        data = data.replace(stand_in.encode(), name)
    return data


def unpacked(data: bytes, folder: Path) -> dict[str, bytes]:
    assert check("entry.zip", data).kind is SubmissionKind.ARCHIVE
    unpack("entry.zip", data, folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(data: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        check("entry.zip", data)
    return caught.value.message


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2026-11-29 at 10.15.00\u202fAM.png",
        "a\u00a0b.txt",
        "\u8aac\u660e\u3000\u66f8.txt",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467.txt",
        "\u2764\ufe0f.md",
        "\u05e9\u05dc\u05d5\u05dd\u200f.txt",
        "soft\u00adhyphen.txt",
        "\ufeffbom.txt",
        "private\ue000.txt",
        "data/\u0646\u0645\u0648\u0646\u0647\u200c\u0647\u0627.csv",
        "trailing space .txt ",
        "trailing dot.",
        "a'b\"c<d>e|f?.txt",
        "aux.txt",
    ],
)
def test_unusual_names_are_taken(name: str, tmp_path: Path) -> None:
    """macOS puts a narrow no-break space into the name of every screenshot."""
    assert unpacked(make_zip({"submission.py": MODULE, name: b"x"}), tmp_path)[name] == b"x"


@pytest.mark.parametrize("name", ["a\nb", "bell\x07.txt", "gpj.\u202eevil.py", "\u2066x\u2069", "a\u2028b", "a\u0085b"])
def test_names_that_deceive_their_reader_are_refused_and_shown_in_escapes(name: str) -> None:
    data = make_zip({"submission.py": MODULE, name: b"x"})

    assert code_of("entry.zip", data) == "unsafe_archive"
    assert refusal(data).isprintable() and "U+" in refusal(data)


@pytest.mark.parametrize("name", ["__MACOSX/._a\nb", "Icon\r", "x/._\u202e", ".git/\u202e"])
def test_litter_with_odd_names_sinks_no_entry(name: str, tmp_path: Path) -> None:
    assert unpacked(make_zip({"submission.py": MODULE, name: b"x"}), tmp_path) == {"submission.py": MODULE}


@pytest.mark.parametrize(
    "litter",
    [
        "._submission.py",
        "._my_method.py",
        "__MACOSX/._submission.py",
        ".DS_Store",
        "data/.DS_Store",
        "Thumbs.db",
        "THUMBS.DB",
        "Desktop.ini",
        ".git/config",
        ".git/objects/pack/x.py",
        "__pycache__/submission.cpython-311.pyc",
        "pkg/__pycache__/core.cpython-311.pyc",
        ".ipynb_checkpoints/submission-checkpoint.py",
        ".svn/entries",
        ".idea/workspace.xml",
        ".AppleDouble/my_method.py",
        ".TemporaryItems/folders.501/x",
        "@eaDir/submission.py@SynoEAStream",
        "$RECYCLE.BIN/desktop.ini",
        "System Volume Information/WPSettings.dat",
    ],
)
def test_what_systems_and_tools_leave_behind_is_passed_over(litter: str, tmp_path: Path) -> None:
    """Also beside the only folder, of which the paths count then."""
    rubbish = b"\0\5\26\7 def unlearning("

    assert unpacked(make_zip({"my_method.py": MODULE, litter: rubbish}), tmp_path / "a") == {
        "my_method.py": MODULE,
        "submission.py": MODULE,
    }
    assert unpacked(make_zip({"e/submission.py": MODULE, litter: rubbish, "._e": b"x"}), tmp_path / "b") == {
        "submission.py": MODULE
    }


def test_links_in_a_folder_of_litter_are_never_made(tmp_path: Path) -> None:
    buffer = io.BytesIO(make_zip({"submission.py": MODULE}))
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo(".git/link")
        link.create_system, link.external_attr = UNIX, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")

    assert unpacked(buffer.getvalue(), tmp_path) == {"submission.py": MODULE}


@pytest.mark.parametrize("prefix", ["./", "././", "./e/"])
def test_members_of_bsdtar_begin_with_a_dot(prefix: str, tmp_path: Path) -> None:
    data = make_zip({"./": b"", f"{prefix}submission.py": MODULE, f"{prefix}pkg/a.py": b""})

    assert set(unpacked(data, tmp_path)) == {"submission.py", "pkg/a.py"}


@pytest.mark.parametrize("system", [DOS, NTFS])
def test_backslashes_of_windows_are_folders(system: int, tmp_path: Path) -> None:
    data = raw_zip({b"top\\submission.py": MODULE, b"top\\pkg\\": b"", b"top\\pkg\\core.py": b"x = 1"}, system=system)

    assert unpacked(data, tmp_path) == {"submission.py": MODULE, "pkg/core.py": b"x = 1"}


@pytest.mark.parametrize(
    "name", [b"..\\evil.py", b"a\\..\\..\\evil.py", b"C:\\evil.py", b"\\evil.py", b"\\\\host\\x.py"]
)
def test_backslashes_leave_no_archive(name: bytes) -> None:
    data = raw_zip({b"submission.py": MODULE, name: b"evil"}, system=DOS)

    assert code_of("entry.zip", data) == "unsafe_archive"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("donn\u00e9es.csv", "cp437"),
        ("donn\u00e9es.csv", "cp850"),
        ("Gr\u00f6\u00dfen.csv", "cp850"),
        ("ch\u00e2teau.txt", "cp437"),
        ("\u30c7\u30fc\u30bf.csv", "cp932"),
        ("\u30bd\u30fc\u30b9\u8868.txt", "cp932"),
        ("\u8aac\u660e2.txt", "cp932"),
        ("\u0434\u0430\u043d\u043d\u044b\u0435.csv", "utf-8"),
        ("\u6570\u636e.csv", "utf-8"),
    ],
)
@pytest.mark.parametrize("system", [DOS, UNIX])
def test_names_without_the_mark_of_utf8_are_read(name: str, encoding: str, system: int, tmp_path: Path) -> None:
    """In Shift JIS the second byte of some letters is a backslash: it divides nothing."""
    data = raw_zip({b"submission.py": MODULE, name.encode(encoding): b"x"}, system=system)

    assert unpacked(data, tmp_path)[name] == b"x"


@pytest.mark.parametrize(
    "raw", [bytes(range(0x80, 0xC0)), bytes(range(0xC0, 0x100)), "\u6570\u636e.csv".encode("gbk"), b"\xff\xfe.bin"]
)
def test_names_in_any_other_code_page_sink_no_entry(raw: bytes, tmp_path: Path) -> None:
    assert b"x" in unpacked(raw_zip({b"submission.py": MODULE, raw: b"x"}), tmp_path).values()


def test_the_name_that_info_zip_repeats_in_utf8_counts(tmp_path: Path) -> None:
    plain, name = b"donn_es.csv", "donn\u00e9es.csv"
    field = struct.pack("<BL", 1, zlib.crc32(plain)) + name.encode()
    data = raw_zip(
        {b"submission.py": MODULE, plain: b"x"},
        extra=struct.pack("<HHB", 0x5455, 1, 0) + struct.pack("<HH", 0x7075, len(field)) + field,
    )

    assert unpacked(data, tmp_path)[name] == b"x"


def test_a_repeated_name_of_another_name_is_passed_over(tmp_path: Path) -> None:
    """A tool that renames a member may leave the field behind."""
    field = struct.pack("<BL", 1, zlib.crc32(b"before.csv")) + b"before.csv"
    data = raw_zip({b"submission.py": MODULE, b"after.csv": b"x"}, extra=struct.pack("<HH", 0x7075, len(field)) + field)

    assert set(unpacked(data, tmp_path)) == {"submission.py", "after.csv"}


NAMES = st.lists(
    st.sampled_from([b"..", b".", b"/", b"\\", b"a", b"\0", b":", b"\x95\\", b"\xe2\x80\xae", b"._", b"\n", b"\xff"]),
    min_size=4,
).map(b"".join)


@settings(deadline=None)
@given(name=NAMES, system=st.sampled_from([DOS, UNIX, NTFS]), extra=st.binary(max_size=12))
def test_no_name_leaves_the_folder_that_it_is_unpacked_to(
    name: bytes, system: int, extra: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("unpacked")
    (root / "inside").mkdir()
    data = raw_zip({b"submission.py": MODULE, name: b"x"}, system=system, extra=struct.pack("<HH", 9, 12) + extra)
    try:
        check("entry.zip", data)
        unpack("entry.zip", data, root / "inside")
    except Rejected as refused:
        assert refused.details["remedy"]

    assert [path.name for path in root.iterdir()] == ["inside"]


def test_the_repeated_name_may_leave_the_archive_no_more_than_the_first() -> None:
    field = struct.pack("<BL", 1, zlib.crc32(b"harmless.py")) + b"../evil.py"
    data = raw_zip(
        {b"submission.py": MODULE, b"harmless.py": b"x"}, extra=struct.pack("<HH", 0x7075, len(field)) + field
    )

    assert code_of("entry.zip", data) == "unsafe_archive"


def test_names_that_macos_takes_apart_are_put_together(tmp_path: Path) -> None:
    """A program's source has the composed letter."""
    name = "donn\u00e9es.csv"

    assert name in unpacked(make_zip({"submission.py": MODULE, unicodedata.normalize("NFD", name): b"x"}), tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "holds no files"),
        ({".DS_Store": b"", "__MACOSX/._x": b""}, "holds no files"),
        ({"a/b/submission.py": MODULE}, "'b/submission.py' is in a folder. Pack the contents of 'b'"),
        ({"e/submission.py": MODULE, "README.md": b""}, "'e/submission.py' is in a folder. Pack the contents of 'e'"),
        ({"e/my_idea.py": MODULE, "README.md": b""}, "'e/my_idea.py' is in a folder"),
        ({"entry.zip": b"PK", "README.md": b""}, "holds 'entry.zip' and no module to run. Upload it, or its contents."),
        ({"work.ipynb": b"{}"}, "holds 'work.ipynb' and no module to run. Upload it alone."),
        ({"submission.py.txt": MODULE, "a.md": b""}, "no .py file at its top; it has 'submission.py.txt', 'a.md'."),
        ({"main.py": MODULE.replace(b"unlearning", b"Unlearning")}, "main.py: Rename `Unlearning` in line 1"),
    ],
)
def test_archive_without_a_module_to_run_is_told_what_it_has(files: dict[str, bytes], words: str) -> None:
    assert words in refusal(make_zip(files))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (bytes(257) + b"ustar\x00" + bytes(249), "a tar archive"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "a web page"),
        (make_zip({"submission.py": MODULE})[:60], "only the beginning of a zip archive"),
        (make_zip({"submission.py": MODULE}, zipfile.ZIP_BZIP2), "compressed with bzip2. Use the deflate method."),
        (make_zip({"submission.py": MODULE}, zipfile.ZIP_LZMA), "compressed with LZMA. Use the deflate method."),
    ],
)
def test_other_formats_are_named(data: bytes, words: str) -> None:
    assert words in refusal(data)


@pytest.mark.parametrize(("method", "words"), [(9, "Deflate64"), (93, "Zstandard"), (95, "xz"), (77, "method 77")])
def test_compression_that_lethe_does_not_read_is_named(method: int, words: str) -> None:
    data = bytearray(make_zip({"submission.py": MODULE}))
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 10, method)

    assert f"'submission.py' is compressed with {words}." in refusal(bytes(data))


@pytest.mark.parametrize("name", ["SUBMISSION.PY", "Submission.py", "my_method.Py"])
def test_a_module_is_found_whatever_the_case_of_its_ending(name: str, tmp_path: Path) -> None:
    assert unpacked(make_zip({name: MODULE, "notes.txt": b""}), tmp_path)["submission.py"] == MODULE


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("Utils.py", "utils.py"), "'Utils.py' and 'utils.py' differ only in upper and lower case. Rename one"),
        (("a/README.md", "A/readme.md"), "'a/README.md' and 'A/readme.md' differ only"),
    ],
)
def test_names_that_windows_and_macos_take_for_one_are_both_told(names: tuple[str, str], words: str) -> None:
    assert words in refusal(make_zip({"submission.py": MODULE} | dict.fromkeys(names, b"")))


def test_a_symbolic_link_is_called_so() -> None:
    """GitHub and `zip -y` pack links as links."""
    buffer = io.BytesIO(make_zip({"submission.py": MODULE}))
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("data/latest")
        link.create_system, link.external_attr = UNIX, 0o120777 << 16
        archive.writestr(link, "v2")

    assert refusal(buffer.getvalue()) == (
        "'data/latest' is a symbolic link. Replace it by the file it points to, or leave it out."
    )


def zip64(data: bytes, *, entries: int | None = None, size: int | None = None) -> bytes:
    """Give a zip the directory of the zip64 format, as programs do that write a stream; perhaps with false numbers."""
    end = data.rindex(b"PK\5\6")
    count, _, directory, start = struct.unpack_from("<2H2L", data, end + 8)
    count, directory = entries or count, size or directory
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, directory, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    return (
        data[:end]
        + record
        + locator
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    )


def test_small_archives_in_the_zip64_format_are_taken(tmp_path: Path) -> None:
    data = zip64(make_zip({"e/submission.py": MODULE, "e/pkg/a.py": b"x = 1"}))

    assert unpacked(data, tmp_path / "a") == {"submission.py": MODULE, "pkg/a.py": b"x = 1"}
    assert unpacked(data[:-22] + data[-22:-2] + b"\4\0note", tmp_path / "b")["submission.py"] == MODULE


def test_streamed_members_are_taken(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        """What a program writes to when it cannot go back: sizes come after the data."""

        def __init__(self) -> None:
            self.sent = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.sent += data
            return len(data)

    pipe = Pipe()
    with (
        zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("submission.py", "w", force_zip64=True) as member,
    ):
        member.write(MODULE)

    assert unpacked(bytes(pipe.sent), tmp_path) == {"submission.py": MODULE}


@pytest.mark.parametrize(
    ("numbers", "code", "words"),
    [
        ({"entries": 1001}, "archive_too_large", "more than 1,000 members"),
        ({"entries": 2**60}, "archive_too_large", "more than 1,000 members"),
        ({"size": 2**40}, "archive_too_large", "more than 1,000 members"),
        ({"size": 10**6}, "bad_archive", "cannot be read"),
    ],
)
def test_numbers_of_a_zip64_directory_are_bounded_before_it_is_read(
    numbers: dict[str, int], code: str, words: str
) -> None:
    data = zip64(make_zip({"submission.py": MODULE}), **numbers)

    assert code_of("entry.zip", data) == code
    assert words in refusal(data)


def test_a_zip64_directory_that_readers_could_seek_in_two_places_is_refused() -> None:
    """One reader takes the record that the locator names, another the one before the locator."""
    honest = zip64(make_zip({"submission.py": MODULE}))
    record = honest[honest.index(b"PK\6\6") :][:56]
    told_elsewhere = zip64(record + make_zip({"submission.py": MODULE}))
    at = told_elsewhere.index(b"PK\6\7")
    twice = told_elsewhere[: at + 8] + struct.pack("<Q", 0) + told_elsewhere[at + 16 :]
    gone = honest.replace(b"PK\6\6", b"PK\6\0")

    assert "two zip64 directories" in refusal(twice)
    assert "not where it should be" in refusal(gone)

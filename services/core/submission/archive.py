"""Reads a .zip from an untrusted source: it writes nothing, and checks every member before it trusts any."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from services.core.submission.names import UnsafeArchive, is_litter, plain_path, require_legible
from services.core.submission.source import Rejected

__all__ = ["Archive", "ArchiveTooLarge", "BadArchive", "UnsafeArchive"]

MAX_ENTRIES = 1000
MAX_UNPACKED_BYTES = 100 * 1024**2
MAX_RATIO = 100  # unpacked bytes over packed bytes, checked from RATIO_FROM_BYTES on
RATIO_FROM_BYTES = 10 * 1024**2
MAX_DIRECTORY_BYTES = MAX_ENTRIES * 1024  # bounds the zip's own directory, so that listing it is cheap
END_RECORD = struct.Struct("<4s4H2LH")  # end of central directory: signature, disks, entries, size, offset, comment
END_SIGNATURE = b"PK\x05\x06"
ZIP64_LOCATOR, ZIP64_LOCATOR_FIELDS = b"PK\x06\x07", struct.Struct("<4sLQL")  # disk and place of the record, disks
ZIP64_RECORD, ZIP64_RECORD_FIELDS = b"PK\x06\x06", struct.Struct("<4sQ2H2L4Q")  # the end record with wider numbers
MAX_COMMENT_BYTES = 1 << 16
ENCRYPTED = 0x1 | 0x40
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}  # that Lethe does not read
OTHER_FORMATS = {
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"PK\x03\x04": "only the beginning of a zip archive",
}
TAR_SIGNATURE, TAR_SIGNATURE_AT = b"ustar", 257
MARKUP_WITHIN = 100  # bytes at the beginning of a page that a server sent in place of a file
ORDINARY = "Create it again with an ordinary zip program."
LEAVE_OUT = "Remove files that the run does not need, such as data, `.git` or a virtual environment."

_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,
    RuntimeError,
    OverflowError,
    EOFError,
    struct.error,
    zlib.error,
)


class BadArchive(Rejected):
    code = "bad_archive"


class ArchiveTooLarge(Rejected):
    code = "archive_too_large"


class Archive:
    """The checked files of a zip. Paths are relative to its top, or to its only folder if it has just one.

    What systems and tools leave behind, such as `__MACOSX`, is passed over.
    """

    def __init__(self, data: bytes) -> None:
        _check_directory_size(data)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise _broken(error) from error
        infos = self._zip.infolist()
        _check_sizes(infos, len(data))
        files: dict[PurePosixPath, zipfile.ZipInfo] = {}
        folders: set[PurePosixPath] = set()
        for info in infos:
            path = plain_path(info)
            if path is None or is_litter(path):
                continue
            require_legible(path)
            _check_member(info, path)
            if _is_folder(info):
                folders.add(path)
            elif path in files:
                raise _twice(path)
            else:
                files[path] = info
        _check_apart(files, folders)
        self._files = _below_only_folder(files)

    @property
    def paths(self) -> list[PurePosixPath]:
        """List the paths of all files."""
        return list(self._files)

    def size_bytes(self, paths: Iterable[PurePosixPath]) -> int:
        """Add up the unpacked sizes of these files."""
        return sum(self._files[path].file_size for path in paths)

    def read(self, path: PurePosixPath) -> bytes:
        """Unpack one file. Raises BadArchive if it is damaged."""
        info = self._files[path]
        try:
            with self._zip.open(info) as member:
                return member.read(info.file_size + 1)
        except _BROKEN as error:
            raise _broken(error) from error


def _broken(error: BaseException) -> BadArchive:
    return BadArchive(f"The archive cannot be read: {str(error).rstrip('.')}.", ORDINARY)


def _check_directory_size(data: bytes) -> None:
    """Bound the zip's directory before zipfile parses it: 20 MB can list half a million members."""
    tail = data[-(END_RECORD.size + MAX_COMMENT_BYTES) :]
    at = tail.rfind(END_SIGNATURE)
    if at < 0 or at + END_RECORD.size > len(tail):
        raise BadArchive(f"The file is {_format_of(data)}, not a zip archive.", ORDINARY)
    entries, size = _zip64_ends(data, len(data) - len(tail) + at) or END_RECORD.unpack_from(tail, at)[4:6]
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        raise _too_many()


def _zip64_ends(data: bytes, end: int) -> tuple[int, int] | None:
    """Return the numbers of entries and of the directory's bytes of a zip64 record before `end`; None without one.

    Programs that write a stream make such archives, also small ones. The record must lie where every reader looks for
    it, so that zipfile parses the directory whose size was bounded here.
    """
    locator = end - ZIP64_LOCATOR_FIELDS.size
    if locator < 0 or data[locator : locator + len(ZIP64_LOCATOR)] != ZIP64_LOCATOR:
        return None
    record = locator - ZIP64_RECORD_FIELDS.size
    if record < 0 or data[record : record + len(ZIP64_RECORD)] != ZIP64_RECORD:
        raise BadArchive("The archive's zip64 directory is not where it should be.", ORDINARY)
    told = ZIP64_LOCATOR_FIELDS.unpack_from(data, locator)[2]
    if told != record and data[told : told + len(ZIP64_RECORD)] == ZIP64_RECORD:
        raise BadArchive("The archive has two zip64 directories.", ORDINARY)
    entries, size = ZIP64_RECORD_FIELDS.unpack_from(data, record)[7:9]
    return entries, size


def _check_sizes(infos: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    if len(infos) > MAX_ENTRIES:
        raise _too_many()
    unpacked_bytes = sum(info.file_size for info in infos)
    if unpacked_bytes > MAX_UNPACKED_BYTES:
        raise ArchiveTooLarge(
            f"The archive unpacks to {unpacked_bytes:,} bytes; the limit is {MAX_UNPACKED_BYTES:,} bytes.",
            LEAVE_OUT,
        )
    if unpacked_bytes > RATIO_FROM_BYTES and unpacked_bytes > MAX_RATIO * packed_bytes:
        raise ArchiveTooLarge(
            f"The archive unpacks to more than {MAX_RATIO} times its size.", "Generate this data in the module instead."
        )


def _format_of(data: bytes) -> str:
    if not data:
        return "empty"
    if data[TAR_SIGNATURE_AT:].startswith(TAR_SIGNATURE):
        return "a tar archive"
    if data[:MARKUP_WITHIN].lstrip().startswith(b"<"):
        return "a web page"
    return next((name for magic, name in OTHER_FORMATS.items() if data.startswith(magic)), "something else")


def _too_many() -> ArchiveTooLarge:
    return ArchiveTooLarge(f"The archive has more than {MAX_ENTRIES:,} members.", LEAVE_OUT)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.orig_filename.endswith(("/", "\\"))


def _check_member(info: zipfile.ZipInfo, path: PurePosixPath) -> None:
    name = str(path)
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise UnsafeArchive(f"{name!r} is a symbolic link.", "Replace it by the file it points to, or leave it out.")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeArchive(f"{name!r} is a device or a pipe.", "Include only regular files and folders.")
    if info.flag_bits & ENCRYPTED:
        raise UnsafeArchive(f"{name!r} is encrypted.", "Create the archive without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = METHODS.get(info.compress_type, f"method {info.compress_type}")
        raise BadArchive(f"{name!r} is compressed with {method}.", f"Use the deflate method. {ORDINARY}")


def _twice(path: PurePosixPath, other: PurePosixPath | None = None) -> UnsafeArchive:
    if other is None or other == path:
        return UnsafeArchive(f"{str(path)!r} is in the archive twice.", "Give every file a different name.")
    return UnsafeArchive(
        f"{str(other)!r} and {str(path)!r} differ only in upper and lower case.", "Rename one, or leave it out."
    )


def _check_apart(files: Mapping[PurePosixPath, zipfile.ZipInfo], folders: Iterable[PurePosixPath]) -> None:
    """Refuse two members that some file system would treat as one file, and files that are also folders."""
    folded: dict[PurePosixPath, PurePosixPath] = {}
    for path in files:
        if (other := folded.setdefault(_folded(path), path)) != path:
            raise _twice(path, other)
    above = {_folded(folder) for folder in folders} | {parent for path in folded for parent in path.parents}
    if both := folded.keys() & above:
        raise UnsafeArchive(f"{str(min(both))!r} is both a file and a folder.", "Give every file a different name.")


def _folded(path: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(str(path).casefold())


def _below_only_folder(files: dict[PurePosixPath, zipfile.ZipInfo]) -> dict[PurePosixPath, zipfile.ZipInfo]:
    if len({path.parts[0] for path in files}) == 1 and all(len(path.parts) > 1 for path in files):
        return {PurePosixPath(*path.parts[1:]): info for path, info in files.items()}
    return files

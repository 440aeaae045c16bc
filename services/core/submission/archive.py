"""Reads a .zip from an untrusted source: it writes nothing, and checks every member before it trusts any."""

import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath

from services.core.submission.source import Rejected

__all__ = ["Archive", "ArchiveTooLarge", "BadArchive", "UnsafeArchive"]

MAX_ENTRIES = 1000
MAX_UNPACKED_BYTES = 100 * 1024**2
MAX_RATIO = 100  # unpacked bytes over packed bytes, checked from RATIO_FROM_BYTES on
RATIO_FROM_BYTES = 10 * 1024**2
MAX_NAME_BYTES = 1000
MAX_DIRECTORY_BYTES = MAX_ENTRIES * 1024  # bounds the zip's own directory, so that listing it is cheap
END_RECORD = struct.Struct("<4s4H2LH")  # end of central directory: signature, disks, entries, size, offset, comment
END_SIGNATURE = b"PK\x05\x06"
ZIP64_LOCATOR = b"PK\x06\x07"
ZIP64_LOCATOR_BYTES = 20
MAX_COMMENT_BYTES = 1 << 16
ENCRYPTED = 0x1 | 0x40
JUNK = ("__MACOSX", ".DS_Store")

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
_DRIVE = re.compile(r"^[A-Za-z]:")


class BadArchive(Rejected):
    code = "bad_archive"


class UnsafeArchive(Rejected):
    code = "unsafe_archive"


class ArchiveTooLarge(Rejected):
    code = "archive_too_large"


class Archive:
    """The checked files of a zip. Paths are relative to its top, or to its only folder if it has just one."""

    def __init__(self, data: bytes) -> None:
        _check_directory_size(data)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise _broken(error) from error
        infos = self._zip.infolist()
        _check_sizes(infos, len(data))
        for info in infos:
            _check_member(info)
        _check_names(infos)
        self._files = _below_only_folder({PurePosixPath(info.filename): info for info in infos if not info.is_dir()})

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
    return BadArchive(f"The archive cannot be read: {error}.", "Create it again with an ordinary zip program.")


def _check_directory_size(data: bytes) -> None:
    """Bound the zip's directory before zipfile parses it: 20 MB can list half a million members."""
    tail = data[-(END_RECORD.size + MAX_COMMENT_BYTES) :]
    at = tail.rfind(END_SIGNATURE)
    if at < 0 or at + END_RECORD.size > len(tail):
        raise BadArchive("The file is not a zip archive.", "Create it again with an ordinary zip program.")
    entries, size = END_RECORD.unpack_from(tail, at)[4:6]
    if tail[max(0, at - ZIP64_LOCATOR_BYTES) : at].startswith(ZIP64_LOCATOR):
        raise BadArchive("The archive uses the zip64 format.", "Create it again as an ordinary zip, without zip64.")
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        raise _too_many()


def _check_sizes(infos: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    if len(infos) > MAX_ENTRIES:
        raise _too_many()
    unpacked_bytes = sum(info.file_size for info in infos)
    if unpacked_bytes > MAX_UNPACKED_BYTES:
        raise ArchiveTooLarge(
            f"The archive unpacks to {unpacked_bytes:,} bytes; the limit is {MAX_UNPACKED_BYTES:,} bytes.",
            "Remove files that the run does not need.",
        )
    if unpacked_bytes > RATIO_FROM_BYTES and unpacked_bytes > MAX_RATIO * packed_bytes:
        raise ArchiveTooLarge(
            f"The archive unpacks to more than {MAX_RATIO} times its size.", "Generate this data in the module instead."
        )


def _too_many() -> ArchiveTooLarge:
    return ArchiveTooLarge(
        f"The archive has more than {MAX_ENTRIES:,} members.", "Remove files that the run does not need."
    )


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeArchive(f"{name!r} is a link or a device.", "Include only regular files and folders.")
    if info.flag_bits & ENCRYPTED:
        raise UnsafeArchive(f"{name!r} is encrypted.", "Create the archive without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadArchive(f"{name!r} uses an unsupported compression method.", "Use the deflate method.")
    if not _is_plain(name):
        raise UnsafeArchive(f"{name!r} is not a plain path inside the archive.", "Use relative paths without '..'.")


def _is_plain(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    return (
        name.isprintable()
        and "\\" not in name
        and not _DRIVE.match(name)
        and len(name.encode()) <= MAX_NAME_BYTES
        and all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)
    )


def _check_names(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse two members that some file system would treat as one file, and files that are also folders."""
    files: set[str] = set()
    folders: set[str] = set()
    for info in infos:
        path = PurePosixPath(unicodedata.normalize("NFC", info.filename).casefold())
        folders.update(str(parent) for parent in path.parents)
        if info.is_dir():
            folders.add(str(path))
        elif str(path) in files:
            raise UnsafeArchive(f"{info.filename!r} is in the archive twice.", "Give every file a different name.")
        else:
            files.add(str(path))
    if both := files & folders:
        raise UnsafeArchive(f"{min(both)!r} is both a file and a folder.", "Give every file a different name.")


def _below_only_folder(files: dict[PurePosixPath, zipfile.ZipInfo]) -> dict[PurePosixPath, zipfile.ZipInfo]:
    kept = {path: info for path, info in files.items() if path.parts[0] not in JUNK and path.name not in JUNK}
    tops = {path.parts[0] for path in kept}
    if len(tops) == 1 and all(len(path.parts) > 1 for path in kept):
        return {PurePosixPath(*path.parts[1:]): info for path, info in kept.items()}
    return kept

"""The names of a zip's members, as every archiver writes them: read, made plain, and sorted into files and litter."""

import re
import struct
import unicodedata
import zipfile
import zlib
from pathlib import PurePosixPath

from services.core.submission.source import Rejected

__all__ = ["UnsafeArchive", "is_litter", "plain_path", "require_legible"]

MAX_NAME_BYTES, MAX_PART_BYTES = 1000, 255
UTF8_NAME = 0x800  # the flag that says so
UNICODE_PATH = 0x7075  # the extra field in which Info-ZIP repeats a name in UTF-8, with a checksum of the name
FIELD, UNICODE_PATH_HEAD = struct.Struct("<HH"), struct.Struct("<BL")
MADE_WITH_BACKSLASHES = frozenset({0, 6, 10, 11, 14})  # the systems DOS, OS/2, NTFS and VFAT in a member's record

# What systems and tools leave behind, without regard to case. No run needs it, so it is passed over unread.
LITTER = frozenset(
    {
        *("__macosx", ".ds_store", ".spotlight-v100", ".trashes", ".fseventsd", "icon\r"),
        *(".appledouble", ".temporaryitems", ".documentrevisions-v100", ".lsoverride", ".apdisk"),
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "@eadir"),
        *(".git", ".svn", ".hg", ".idea", ".vscode"),
        *("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache"),
    }
)
APPLE_DOUBLE = "._"

_STRANGE_PARTS = frozenset({"", ".", ".."})  # an absolute path begins with an empty part
_DRIVE = re.compile(r"^[A-Za-z]:")
_EAST_OF_LATIN = re.compile(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")
# Marks that turn the direction of what follows: a name with one reads as another name.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_LEGIBLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


class UnsafeArchive(Rejected):
    code = "unsafe_archive"


def plain_path(info: zipfile.ZipInfo) -> PurePosixPath | None:
    """Return a member's path below the archive's top; None for the top itself. Raises UnsafeArchive."""
    name = _decoded(info)
    if "\\" in name:
        if info.create_system not in MADE_WITH_BACKSLASHES:
            raise UnsafeArchive(f"{name!r} holds a backslash.", "Use '/' between folders, and no '\\' in names.")
        name = name.replace("\\", "/")
    name = name.removesuffix("/")
    while name.startswith("./"):  # as bsdtar writes
        name = name[2:]
    if name in ("", "."):
        return None
    parts = name.split("/")
    if not _STRANGE_PARTS.isdisjoint(parts) or _DRIVE.match(name) or "\0" in name:
        raise UnsafeArchive(f"{name!r} is not a plain path inside the archive.", "Use relative paths without '..'.")
    return PurePosixPath(*parts)


def is_litter(path: PurePosixPath) -> bool:
    """Tell whether a system or a tool left a file behind, such as Finder's `._submission.py` or `__MACOSX`."""
    return any(part.startswith(APPLE_DOUBLE) or part.casefold() in LITTER for part in path.parts)


def require_legible(path: PurePosixPath) -> None:
    """Raise UnsafeArchive for a name that a file system would not take, or that would deceive its reader."""
    name = str(path)
    if found := next((one for one in name if one in _TURNS or unicodedata.category(one) in _NOT_LEGIBLE), None):
        raise UnsafeArchive(f"The name {name!r} holds the character U+{ord(found):04X}.", "Rename the file.")
    if len(name.encode()) > MAX_NAME_BYTES or any(len(part.encode()) > MAX_PART_BYTES for part in path.parts):
        raise UnsafeArchive(
            f"The name {name[:40]!r}... is longer than {MAX_PART_BYTES} bytes, or its path than {MAX_NAME_BYTES:,}.",
            "Give the file a shorter name.",
        )


def _decoded(info: zipfile.ZipInfo) -> str:
    """Read a name as UTF-8, whether it is marked so or not; else by a code page of DOS.

    Letters with marks are composed, as a program's source has them; macOS takes them apart.
    """
    name = info.orig_filename
    if not info.flag_bits & UTF8_NAME:
        raw = name.encode("cp437")
        name = _repeated(raw, info.extra) or _unmarked(raw)
    return unicodedata.normalize("NFC", name)


def _repeated(raw: bytes, extra: bytes) -> str | None:
    """Return the UTF-8 name among a member's extra fields, if it is of this name."""
    at = 0
    while at + FIELD.size <= len(extra):
        kind, size = FIELD.unpack_from(extra, at)
        field = extra[at + FIELD.size :][:size]
        at += FIELD.size + size
        if kind == UNICODE_PATH and len(field) == size > UNICODE_PATH_HEAD.size:
            _, checksum = UNICODE_PATH_HEAD.unpack_from(field)
            if checksum == zlib.crc32(raw):
                return field[UNICODE_PATH_HEAD.size :].decode(errors="replace")
    return None


def _unmarked(raw: bytes) -> str:
    """Read a name without the mark of UTF-8. Japanese stands alone; in European words ASCII touches each accent."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    try:
        japanese = raw.decode("cp932")
    except UnicodeDecodeError:
        return raw.decode("cp437")
    return raw.decode("cp437") if _EAST_OF_LATIN.search(japanese) else japanese

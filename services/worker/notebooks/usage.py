"""What a notebook has written: bytes of disk, and checkpoints. `find` looks, because trees may be of any depth."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "look_through"]

CHECKPOINT = re.compile(rb"unlearned_checkpoint_[0-9]{1,6}\.pth")
ARCHIVE = re.compile(rb"submission\.zip|zi[A-Za-z0-9]{6}")  # the latter while Info-ZIP writes it
FIND = "/usr/bin/find"
BLOCK_BYTES = 512
MAX_FILES = 200_000


@dataclass(frozen=True, slots=True)
class Usage:
    used_bytes: int  # on disk, also beyond the ends of files
    checkpoints: int  # distinct names
    zipping: bool  # an archive was begun


def look_through(directory: Path) -> Usage | None:
    """Add up everything below a directory. None if there are too many files to look through."""
    command = [FIND, str(directory), "-xdev", "-printf", "%b %f\\0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as find:
        assert find.stdout is not None
        total, names, count, rest, zipping = 0, set[bytes](), 0, b"", False
        while chunk := find.stdout.read(2**20):
            *entries, rest = (rest + chunk).split(b"\0")
            for entry in entries:
                blocks, _, name = entry.partition(b" ")
                total += int(blocks) * BLOCK_BYTES
                if CHECKPOINT.fullmatch(name):
                    names.add(name)
                zipping |= ARCHIVE.fullmatch(name) is not None
            count += len(entries)
            if count > MAX_FILES:
                find.kill()
                return None
    return Usage(total, len(names), zipping)

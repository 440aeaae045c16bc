"""Files as people have them: texts with a byte order mark, and a good copy beside a broken one."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from services.benchmarks.datasets.dataset import BadDataset

__all__ = ["first_good", "read_text"]

T = TypeVar("T")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path, source: str) -> str:
    """Read a UTF-8 text, with or without a byte order mark. Raises BadDataset."""
    try:
        data = path.read_bytes()
        if data.startswith(UTF16_MARKS):
            raise BadDataset(path, "cannot be read, because it is UTF-16. Save it as UTF-8", source)
        return data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise BadDataset(path, "is missing", source) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadDataset(path, f"cannot be read as UTF-8 ({error})", source) from error


def first_good(places: Iterable[Path], read: Callable[[Path], T]) -> tuple[T, tuple[str, ...]]:
    """Read the first place that is good; also return a note about every broken one before it.

    If none is good, raises BadDataset about the first.
    """
    broken: list[BadDataset] = []
    for place in places:
        try:
            found = read(place)
        except BadDataset as error:
            broken.append(error)
        else:
            return found, tuple(f"{one.path} {one.problem}, so {place} was taken." for one in broken)
    raise broken[0]

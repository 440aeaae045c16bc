"""Pages of leaderboards that were read a moment ago, as JSON: most readers ask for the same few.

Computed standings never change, and names on them change only when a team is renamed. So what is kept under both needs
no other way to become invalid.
"""

from collections.abc import Callable, Hashable
from threading import Lock

from cachetools import LRUCache
from pydantic_core import to_json

from services.api.leaderboard.schemas import Entry

__all__ = ["KeptPages"]

MOST_BYTES = 16 * 2**20  # of one API process: some 300 pages of 50


class KeptPages:
    """The pages that were asked for last."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._pages: LRUCache[Hashable, bytes] = LRUCache(most_bytes, getsizeof=len)
        self._lock = Lock()

    @property
    def held_bytes(self) -> int:
        """Count the bytes of all pages that are kept."""
        return int(self._pages.currsize)

    def find(self, key: Hashable, read: Callable[[], list[Entry]]) -> bytes:
        """Return the entries of a page as a JSON array; read them if they are not kept.

        The key must name everything on which they depend.
        """
        with self._lock:
            found = self._pages.get(key)
        if found is None:
            found = to_json(read())
            with self._lock:
                if len(found) <= self._pages.maxsize:
                    self._pages[key] = found
        return found

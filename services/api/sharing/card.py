"""What may be told to anybody about a page: to programs that preview a link, and to reference managers."""

from dataclasses import dataclass
from datetime import datetime

from services.api.leaderboard.schemas import Entry

__all__ = ["Card"]


@dataclass(frozen=True, slots=True)
class Card:
    """A page in a few words. Paths begin at the root of this installation."""

    title: str
    description: str
    author: str
    created_at: datetime
    page: str
    picture: str
    citation: str = ""  # empty: it is not cited
    below: str = ""  # what its picture says below the title
    entries: tuple[Entry, ...] = ()  # the first of a board that is not sealed

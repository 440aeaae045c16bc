"""A place in the queue, in words."""

from datetime import datetime
from typing import Any

__all__ = ["place_in_words"]


def place_in_words(place: dict[str, Any]) -> str:
    """Say how many shards run before an entry's, and when it starts and ends, in local time."""
    number = f"more than {place['ahead']}" if place["more"] else str(place["ahead"])
    said = [f"shards ahead in the queue: {number}"]
    said += [f"{what} {_moment(place[what])}" for what in ("starts", "ends") if place[what]]
    return "; ".join(said)


def _moment(span: dict[str, str]) -> str:
    expected, low, high = (datetime.fromisoformat(span[one]).astimezone() for one in ("expected", "low", "high"))
    return f"about {expected:%Y-%m-%d %H:%M} (90% {low:%m-%d %H:%M} to {high:%m-%d %H:%M})"

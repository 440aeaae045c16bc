"""Parses the lines that come out of a sandbox. A line may hold any bytes, so nothing here fails."""

import json
from typing import Any

__all__ = ["integer", "parsed"]

MAX_LINE_BYTES = 64 * 1024  # of a report; only readings are longer


def parsed(line: bytes, *, limit: int = MAX_LINE_BYTES) -> dict[str, Any]:
    """Return the JSON object in a line; an empty one if there is none."""
    if len(line) > limit:
        return {}
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def integer(value: object, *, most: int) -> int:
    """Return a number from 0 to `most`, the nearest to the value; 0 for anything but an integer."""
    return min(max(value, 0), most) if type(value) is int else 0

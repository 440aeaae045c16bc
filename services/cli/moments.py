"""Moments as they are printed: in the reader's own time zone, which is named."""

from datetime import datetime

__all__ = ["moment"]


def moment(iso: str | datetime) -> str:
    """Write a moment of the API to the minute: `2027-01-31 12:00 UTC`."""
    found = datetime.fromisoformat(iso) if isinstance(iso, str) else iso
    return f"{found.astimezone():%Y-%m-%d %H:%M %Z}"

"""The states of an upload, and what changes with them."""

from services.core.models import BenchmarkUpload, BenchmarkUploadState
from services.core.store.database import WriteSession, clock

__all__ = ["BUSY", "ENDED", "end", "move"]

BUSY = (BenchmarkUploadState.VERIFYING, BenchmarkUploadState.PUBLISHING)
ENDED = (BenchmarkUploadState.PUBLISHED, BenchmarkUploadState.REFUSED)
REASON_CHARACTERS = 2000


def move(session: WriteSession, row: BenchmarkUpload, state: BenchmarkUploadState) -> None:
    """Change the state of a locked upload. Whoever works on it loses it."""
    row.state, row.moved_at, row.leased_until, row.reason, row.checked_bytes = state, clock(session), None, None, 0


def end(session: WriteSession, row: BenchmarkUpload, reason: str) -> None:
    """Refuse a locked upload, with a reason that its uploader sees."""
    move(session, row, BenchmarkUploadState.REFUSED)
    row.reason = reason[:REASON_CHARACTERS]

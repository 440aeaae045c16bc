"""The digest of a stored score: all that was written when it was computed."""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Row, Select, select, type_coerce

from services.core.models import Score
from services.core.record.chain import canonical
from services.core.store.database import ReadSession

__all__ = ["digests_of"]

# Columns that scores got later. Older scores, which have none, keep their digests.
LATER = frozenset({"cost", "program", "variance"})
DIGESTED = tuple(sorted(column.key for column in Score.__table__.columns))
_COLUMNS = [
    type_coerce(column, JSON).label(column.key) if isinstance(getattr(column.type, "impl", None), JSON) else column
    for column in (Score.__table__.columns[name] for name in DIGESTED)
]


def digests_of(session: ReadSession, score_ids: Collection[UUID]) -> dict[UUID, str]:
    """Digest scores as they are in the database, by their ids; those that are not there are left out."""
    return {row.id: _digest(row) for row in session.execute(_scores().where(Score.id.in_(score_ids)))}


def _scores() -> Select[Any]:
    return select(*_COLUMNS)


def _digest(row: Row[Any]) -> str:
    written = {name: _plain(value) for name, value in row._mapping.items() if value is not None or name not in LATER}
    return hashlib.sha256(canonical(written)).hexdigest()


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case bytes():
            return value.hex()
        case _:
            return value

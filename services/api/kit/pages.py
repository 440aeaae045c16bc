"""Keyset pages, newest first: no page repeats or skips a row if others are added or removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select, literal, tuple_

from services.api.kit.cursors import Cursors
from services.core.store.database import ReadSession

__all__ = ["After", "Limit", "Page", "newest_first"]

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Any)

Limit = Annotated[int, Query(ge=1, le=200, description="Maximum number of items on the page.")]
After = Annotated[str | None, Query(max_length=1000, description="`next` from the previous page.")]


class Page(BaseModel, Generic[Item]):
    """One page of a listing. `next` is null on the last page."""

    items: list[Item]
    next: str | None


def newest_first(
    session: ReadSession,
    statement: Select[Row],
    table: Any,
    *,
    cursors: Cursors,
    listing: str,
    limit: int,
    after: str | None,
) -> tuple[Sequence[Row], str | None]:
    """Read one page in order of (created_at, id), newest first; return its rows and the cursor of the next page."""
    key = tuple_(table.created_at, table.id)
    if after is not None:
        created_at, row_id = cursors.decode(listing, after)
        last = (
            literal(datetime.fromisoformat(str(created_at)), table.created_at.type),
            literal(UUID(str(row_id)), table.id.type),
        )
        statement = statement.where(key < tuple_(*last))
    statement = statement.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = session.scalars(statement).unique().all()
    if len(rows) <= limit:
        return rows, None
    last_row = rows[limit - 1]
    return rows[:limit], cursors.encode(listing, [last_row.created_at.isoformat(), str(last_row.id)])

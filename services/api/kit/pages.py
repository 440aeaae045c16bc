"""Keyset pages, newest first: no page repeats or skips a row if others are added or removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select, literal, select, tuple_, union_all

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
    parts: Sequence[Select[Row]] = (),
) -> tuple[Sequence[Row], str | None]:
    """Read one page in order of (created_at, id), newest first; return its rows and the cursor of the next page.

    If an index has the order of each of some `parts` that make up the whole, the newest of each are found first, so
    that the database sorts no more than these.
    """
    key = tuple_(table.created_at, table.id)
    if after is not None:
        created_at, row_id = cursors.decode(listing, after)
        last = (
            literal(datetime.fromisoformat(str(created_at)), table.created_at.type),
            literal(UUID(str(row_id)), table.id.type),
        )
        statement = statement.where(key < tuple_(*last))
        parts = [part.where(key < tuple_(*last)) for part in parts]
    if parts:
        statement = statement.where(table.id.in_(_newest_of_each(parts, table, limit)))
    statement = statement.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = session.scalars(statement).unique().all()
    if len(rows) <= limit:
        return rows, None
    last_row = rows[limit - 1]
    return rows[:limit], cursors.encode(listing, [last_row.created_at.isoformat(), str(last_row.id)])


def _newest_of_each(parts: Sequence[Select[Row]], table: Any, limit: int) -> Select[UUID]:
    newest = (table.created_at.desc(), table.id.desc())
    some = [
        part.with_only_columns(table.id.label("id")).order_by(*newest).limit(limit + 1).subquery() for part in parts
    ]
    return select(union_all(*(select(one.c.id) for one in some)).subquery().c.id)

"""Runs migrations on the connection that `core.migrate` hands over.

SQLite cannot alter most things in place, so Alembic's batch mode rebuilds tables; with foreign keys on, dropping the
old table would silently delete the children that cascade from it. They are off meanwhile and checked afterwards.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, text

from services.core import models
from services.core.store.database import Base, UtcDateTime

__all__ = ["models"]


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our column type as the plain one it stores, so that a migration does not depend on today's code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if sqlite and (broken := connection.execute(text("PRAGMA foreign_key_check")).all()):
        raise RuntimeError(f"The migration broke foreign keys: {broken}")


run(context.config.attributes["connection"])

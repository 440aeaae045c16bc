"""Opens the installation's database for commands that work on it directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.core.settings import Settings
    from services.core.store.database import Database

__all__ = ["migrated_database"]


@contextmanager
def migrated_database(settings: "Settings") -> "Iterator[Database]":
    """Open the database, and close it. Raises OtherSchema or DatabaseUnreachable, which say what to do first."""
    from services.core.store.database import Database
    from services.core.store.schema import require_newest

    settings.make_data_dir()
    database = Database(settings.resolved_database_url)
    try:
        require_newest(database)
        yield database
    finally:
        database.dispose()

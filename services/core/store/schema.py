"""Whether a database has the schema of this version. Every service asks as it starts, and needs no Alembic for it."""

from pathlib import Path

from sqlalchemy import Connection, String, column, inspect, select, table
from sqlalchemy.exc import OperationalError

import migrations
from services.core.errors import Conflict, Unavailable
from services.core.store.database import Database

__all__ = ["DatabaseUnreachable", "OtherSchema", "known_revisions", "require_newest"]

MADE_BY_ALEMBIC = "alembic_version"
REVISION = select(column("version_num", String)).select_from(table(MADE_BY_ALEMBIC))


class OtherSchema(Conflict):
    code = "other_schema"


class DatabaseUnreachable(Unavailable):
    code = "database_unreachable"


def known_revisions() -> list[str]:
    """List the revisions of this version, oldest first: a migration's file begins with its revision."""
    files = Path(migrations.__file__).parent.glob("versions/[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def require_newest(database: Database) -> None:
    """Raise OtherSchema unless the schema is this version's, or DatabaseUnreachable if the database does not answer."""
    try:
        with database.engine.connect() as connection:
            found = _revision(connection)
    except OperationalError as error:
        place = database.engine.url.render_as_string(hide_password=True)
        raise DatabaseUnreachable(
            f"The database {place} does not answer: {error.orig}. Start it, or correct LETHE_DATABASE_URL."
        ) from error
    known = known_revisions()
    if found == known[-1]:
        return
    if found is None or found in known:
        raise OtherSchema("The database does not have this version's schema yet. Run `lethe migrate` first.")
    raise OtherSchema(f"The database has schema {found} of a newer version of Lethe. Upgrade this installation.")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(MADE_BY_ALEMBIC):
        return None
    return connection.scalar(REVISION)

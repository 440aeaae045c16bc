"""Migrates a database to the newest schema, and refuses to work with any other."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

import migrations
from services.core.errors import Conflict, Unavailable
from services.core.store.database import Database

__all__ = ["DatabaseUnreachable", "OtherSchema", "alembic_config", "require_newest", "upgrade"]


class OtherSchema(Conflict):
    code = "other_schema"


class DatabaseUnreachable(Unavailable):
    code = "database_unreachable"


def alembic_config(connection: Connection) -> Config:
    """Configure Alembic for our migrations on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database, revision: str = "head") -> None:
    """Apply every migration up to `revision`; do nothing if all are applied."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        command.upgrade(alembic_config(connection), revision)
        connection.commit()
        if database.engine.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
            connection.execute(text("SELECT 1"))


def require_newest(database: Database) -> None:
    """Raise OtherSchema unless the schema is this version's, or DatabaseUnreachable if the database does not answer."""
    try:
        with database.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            history = ScriptDirectory.from_config(alembic_config(connection))
    except OperationalError as error:
        place = database.engine.url.render_as_string(hide_password=True)
        raise DatabaseUnreachable(
            f"The database {place} does not answer: {error.orig}. Start it, or correct LETHE_DATABASE_URL."
        ) from error
    if found == history.get_current_head():
        return
    known = found is None or any(one.revision == found for one in history.walk_revisions())
    if known:
        raise OtherSchema("The database does not have this version's schema yet. Run `lethe migrate` first.")
    raise OtherSchema(f"The database has schema {found} of a newer version of Lethe. Upgrade this installation.")

"""Databases of the newest schema, copied from one that was migrated once in this process.

Every test opens engines of its own. They share what SQLAlchemy makes of a statement, which takes longer than to run it.
"""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import URL, Connection, Dialect, Engine, event, make_url

from services.core.store.database import Database
from services.core.store.migrate import upgrade

__all__ = ["EMPTY", "MIGRATED", "migrate_postgres_template", "migrated_sqlite", "postgres_copy"]

MIGRATED = "migrated"
EMPTY = "template0"
_dialects: dict[str, Dialect] = {}
_compiled: dict[object, object] = {}


@event.listens_for(Engine, "engine_connect")
def share_compiled_statements(connection: Connection) -> None:
    """Give all engines of one kind the same dialect, which is part of every statement's key, and one cache."""
    shared = _dialects.setdefault(connection.dialect.name, connection.dialect)
    connection.engine.dialect = connection.dialect = shared
    connection.execution_options(compiled_cache=_compiled)


def migrated_sqlite(path: Path) -> str:
    """Write an SQLite file of the newest schema; return its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated_file())
    return f"sqlite:///{path}"


@cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory(prefix="lethe-test-") as directory:
        path = Path(directory) / "migrated.db"
        _migrate(f"sqlite:///{path}")
        return path.read_bytes()


def migrate_postgres_template(server: str) -> None:
    """Make the database that `postgres_copy` copies, on a server that has none yet."""
    _create(make_url(server), MIGRATED, EMPTY)
    _migrate(_text(make_url(server).set(database=MIGRATED)))


@contextmanager
def postgres_copy(server: str, template: str = MIGRATED) -> Iterator[str]:
    """Copy a database of the server; yield the copy's URL, and drop it at the end."""
    url = make_url(server)
    name = f"test_{uuid.uuid4().hex}"
    _create(url, name, template)
    yield _text(url.set(database=name))
    _execute(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.dispose()


def _create(server: URL, name: str, template: str) -> None:
    _execute(server, f'CREATE DATABASE "{name}" TEMPLATE {template}')


def _execute(server: URL, statement: str) -> None:
    with psycopg.connect(
        host=server.host, port=server.port, user=server.username, dbname=server.database, autocommit=True
    ) as connection:
        connection.execute(statement.encode())


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)

"""SQLite and Postgres behind one interface: `Database.read()` and `Database.write()`, one transaction each.

SQLite runs in WAL mode with BEGIN IMMEDIATE for writers, so a transaction that reads and then writes never finds the
database locked half-way. Read and write sessions have different types, so the type checker refuses a read session
where a function writes.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVarTuple

from sqlalchemy import (
    Dialect,
    Engine,
    MetaData,
    Row,
    Select,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import DateTime, TypeDecorator

__all__ = ["Base", "Database", "ReadSession", "UtcDateTime", "WriteSession", "clock", "utc_now"]

READ_ONLY = "lethe_read_only"
MAPPED_BYTES = 2**31 - 2**16  # of the file of SQLite: the most that it maps
# After 25 s of silence either side asks whether the other's machine still lives; Linux itself asks after two hours.
_FOUND_DEAD = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
USED_AT = "lethe_used_at"  # by the clock of this process
TRUSTED_S = 1.0  # for so long a connection is believed to live without a test
POOL_SIZE = 44  # at least the thread pool's 40 threads, so that no request waits for a connection


_Columns = TypeVarTuple("_Columns")


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite stores no time zone: writing removes it, and reading restores it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A datetime needs a time zone here. Pass an aware datetime.")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of every table. Every constraint gets a name, so that migrations can refer to it on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy's declared interface


class ReadSession(Session):
    """A session that only reads."""


class WriteSession(ReadSession):
    """A session whose transaction may write."""


class Database:
    """An engine and its two kinds of session."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        on_postgres = self.engine.dialect.name == "postgresql"
        self._reading = self.engine.execution_options(
            **{READ_ONLY: True}, **({"postgresql_readonly": True} if on_postgres else {})
        )
        self._glancing = self.engine.execution_options(
            **{READ_ONLY: True}, **({"isolation_level": "AUTOCOMMIT"} if on_postgres else {})
        )

    def reader(self) -> ReadSession:
        """Make a session whose read-only transaction begins with its first statement; whoever calls closes it."""
        return ReadSession(self._reading, expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[ReadSession]:
        """Open a read-only transaction."""
        with self.reader() as session:
            yield session

    def glance(self, statement: Select[*_Columns], parameters: dict[str, Any]) -> Row[*_Columns] | None:
        """Read at most one row with one statement. Postgres is spared the transaction around it: two more trips."""
        with self._glancing.connect() as connection:
            return connection.execute(statement, parameters).one_or_none()

    @contextmanager
    def write(self) -> Iterator[WriteSession]:
        """Open a write transaction; commit it when the block ends, roll it back if the block raises."""
        with WriteSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def answers(self) -> bool:
        """Tell whether the database answers a query now."""
        with self.read() as session:
            return session.execute(text("SELECT 1")).scalar() == 1

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def clock(session: ReadSession) -> datetime:
    """Return the time by the one clock that all machines share: the database's. SQLite's users share a machine."""
    if session.get_bind().dialect.name == "postgresql":
        return session.scalars(select(func.clock_timestamp(type_=UtcDateTime()))).one()
    return utc_now()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        # The connection used last is used next: few stay busy, with their statements prepared.
        engine = create_engine(
            parsed, pool_size=POOL_SIZE, max_overflow=0, pool_use_lifo=True, connect_args=_FOUND_DEAD
        )
        event.listen(engine, "connect", _end_if_client_dies)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _test_if_idle(engine.dialect))
        return engine
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=POOL_SIZE, max_overflow=0, connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _end_if_client_dies(connection: Any, _record: object) -> None:
    """Let the server end the session of a machine that has gone; until then it holds the locks of its transaction."""
    connection.autocommit = True
    for setting in ("idle", "interval", "count"):
        connection.execute(f"SET tcp_keepalives_{setting} = {_FOUND_DEAD[f'keepalives_{setting}']}")
    connection.autocommit = False


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[USED_AT] = time.monotonic()


def _test_if_idle(dialect: Dialect) -> Callable[[Any, ConnectionPoolEntry, object], None]:
    """Make a check that replaces connections which the server has closed. One used a moment ago is taken as it is."""

    def test(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get(USED_AT, -math.inf) < TRUSTED_S:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return test


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        *("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"),
        f"mmap_size={MAPPED_BYTES}",  # rows of one page lie anywhere in the file: a system call for each costs most
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

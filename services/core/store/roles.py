"""The Postgres roles of the services. They work with the tables, and only the owner, who migrates, may change these.

Worker and scorer cannot reach accounts and tokens, and no service can change what is on record. `lethe migrate` repeats
the grants, because new tables have none.
"""

from collections.abc import Mapping

from psycopg import Connection, sql
from sqlalchemy import text
from sqlalchemy.engine import Connection as Transaction

from services.core.errors import Conflict
from services.core.store.database import Database

__all__ = ["ROLES", "MissingRole", "grant_roles"]

ACCOUNTS = (
    *("account_links", "accounts", "identities", "invitations", "members", "outbox", "registrations", "tokens"),
    *("offers", "seats", "submission_notes", "team_invitations", "team_members", "upload_keys"),
    *("benchmark_upload_parts", "benchmark_uploads"),
    *("freezes", "hook_calls", "notices", "shared_submissions", "webhooks"),
)
SCHEMA_VERSION = "alembic_version"
RECORD = "audit_events"  # rows are added to it, and never changed; the scorer numbers them
CHAINING = "lethe_scorer"
ROLES: Mapping[str, tuple[str, ...]] = {"lethe_api": (), "lethe_worker": ACCOUNTS, "lethe_scorer": ACCOUNTS}
"""Every role, with the tables that it cannot reach."""


class MissingRole(Conflict):
    code = "missing_role"


def grant_roles(database: Database, passwords: Mapping[str, str]) -> None:
    """Give each role of `passwords` its password and its rights in a migrated database; do nothing on SQLite.

    A role that does not exist is created. If the owner may not do that, raises MissingRole; if the owner may not change
    a role that exists, its password stays. With no passwords, nothing changes.
    """
    if database.engine.dialect.name != "postgresql" or not passwords:
        return
    with database.engine.begin() as transaction:
        for role, password in passwords.items():
            _make(transaction, role, password)
        _close_to_others(transaction)
        for role in passwords:
            _grant(transaction, role)


def _make(transaction: Transaction, role: str, password: str) -> None:
    found = transaction.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
    may = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    if not transaction.execute(text(may)).scalar():
        if found:
            return
        raise MissingRole(
            f"The database role {role} does not exist, and the owner may not create it. Create it as docs/operate.md, "
            "section Database roles, says, or write a URL with a password into LETHE_DATABASE_URL of each service."
        )
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    if not found:
        _execute(transaction, f"CREATE ROLE {{role}} {rights}", role)
    # A server may log statements, so it gets what it would store itself, never the password.
    encoded = _connection(transaction).pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {role} PASSWORD {password}")
    _connection(transaction).execute(
        statement.format(role=sql.Identifier(role), password=sql.Literal(encoded.decode()))
    )


def _close_to_others(transaction: Transaction) -> None:
    """Take from everybody what Postgres gives to everybody: temporary tables, and before version 15 tables, too."""
    _execute(transaction, "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    _execute(transaction, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def _grant(transaction: Transaction, role: str) -> None:
    for statement in (
        "GRANT CONNECT ON DATABASE {database} TO {role}",
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ):
        _execute(transaction, statement, role)
    _execute(transaction, f"REVOKE INSERT, UPDATE, DELETE ON {SCHEMA_VERSION} FROM {{role}}", role)
    _execute(transaction, f"REVOKE UPDATE, DELETE ON {RECORD} FROM {{role}}", role)
    if role == CHAINING:
        _execute(transaction, f"GRANT UPDATE (number, hash) ON {RECORD} TO {{role}}", role)
    for table in ROLES[role]:
        _execute(transaction, f"REVOKE ALL ON {table} FROM {{role}}", role)


def _execute(transaction: Transaction, statement: str, role: str = "") -> None:
    database = transaction.engine.url.database or ""
    names = {"database": sql.Identifier(database)} | ({"role": sql.Identifier(role)} if role else {})
    _connection(transaction).execute(sql.SQL(statement).format(**names))


def _connection(transaction: Transaction) -> Connection:
    connection = transaction.connection.driver_connection
    assert isinstance(connection, Connection)
    return connection

"""The services' roles in a real Postgres: they work with rows, own nothing, and keep apart from accounts."""

from collections.abc import Iterator

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import insert, inspect, make_url, select, text
from sqlalchemy.exc import ProgrammingError

from services.core.models import Account, Evaluation
from services.core.queue.lifecycle import cancel, lock_evaluation, queue_evaluation
from services.core.settings import Settings
from services.core.store.database import Base, Database
from services.core.store.migrate import upgrade
from services.core.store.roles import ROLES, MissingRole, grant_roles
from services.core.store.schema import require_newest
from tests.core.conftest import add_phase
from tests.databases import EMPTY, postgres_copy

PASSWORDS = dict.fromkeys(ROLES, "secret")
ACCOUNTS = {
    *("account_links", "accounts", "identities", "invitations", "members", "outbox", "registrations", "tokens"),
    *("offers", "seats", "submission_notes", "team_invitations", "team_members", "upload_keys"),
    *("benchmark_upload_parts", "benchmark_uploads"),
    *("freezes", "hook_calls", "notices", "shared_submissions", "webhooks"),
}


@pytest.fixture
def owner(fresh_postgres_url: str) -> Iterator[Database]:
    database = Database(fresh_postgres_url)
    grant_roles(database, PASSWORDS)
    with database.write() as session:
        queue_evaluation(session, add_phase(session), "c" * 64)
    yield database
    database.dispose()


@pytest.fixture(params=list(ROLES))
def service(request: pytest.FixtureRequest, owner: Database) -> Iterator[Database]:
    """The database, as one of the services sees it."""
    database = as_role(owner, request.param)
    yield database
    database.dispose()


def as_role(owner: Database, role: str) -> Database:
    settings = Settings(
        database_url=owner.engine.url.render_as_string(hide_password=False),
        database_role=role,
        database_password="secret",
    )
    return Database(settings.resolved_database_url)


def refused(database: Database, statement: str) -> bool:
    try:
        with database.write() as session:
            session.execute(text(statement))
    except ProgrammingError as error:
        return isinstance(error.orig, InsufficientPrivilege)
    return False


def test_a_service_may_change_rows_and_read_the_schemas_version(service: Database) -> None:
    require_newest(service)
    with service.write() as session:
        row = lock_evaluation(session, session.scalars(select(Evaluation.id)).one())
        cancel(session, row)
    with service.read() as session:
        assert session.scalars(select(Evaluation.state)).one() == "cancelled"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "DROP TABLE scores",
        "ALTER TABLE scores ADD COLUMN mine int",
        "TRUNCATE scores",
        "CREATE ROLE mine",
        "ALTER ROLE lethe_api SUPERUSER",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE audit_events SET act = 'code_read'",
        "DELETE FROM audit_events",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_a_service_cannot_change_the_schema(service: Database, statement: str) -> None:
    assert refused(service, statement)


def test_only_the_api_reaches_accounts(owner: Database) -> None:
    for role in ROLES:
        service = as_role(owner, role)
        closed = {table for table in Base.metadata.tables if refused(service, f"SELECT * FROM {table}")}
        assert closed == (set() if role == "lethe_api" else ACCOUNTS)
        assert refused(service, "DELETE FROM tokens") == (role != "lethe_api")
        service.dispose()
    api = as_role(owner, "lethe_api")
    with api.write() as session:
        session.execute(insert(Account).values(username="ada", password_hash="-"))
    api.dispose()


def test_every_migration_grants_what_is_new_and_keeps_the_data(owner: Database) -> None:
    with owner.write() as session:
        session.execute(text("CREATE TABLE later (x int)"))
    worker = as_role(owner, "lethe_worker")
    assert refused(worker, "SELECT * FROM later")
    grant_roles(owner, PASSWORDS)
    assert not refused(worker, "INSERT INTO later VALUES (1)")
    assert refused(worker, "SELECT * FROM accounts")
    worker.dispose()


def test_an_installation_without_passwords_of_roles_stays_as_it_is(fresh_postgres_url: str, sqlite_url: str) -> None:
    assert Settings().role_passwords == {}
    for url in (fresh_postgres_url, sqlite_url):
        database = Database(url)
        grant_roles(database, {})
        upgrade(database)
        assert inspect(database.engine).has_table("accounts")
        database.dispose()
    database = Database(sqlite_url)
    grant_roles(database, PASSWORDS)
    database.dispose()


def test_passwords_are_stored_and_sent_as_verifiers_and_can_change(owner: Database) -> None:
    def stored() -> dict[str, str]:
        rows = text("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'lethe\\_%'")
        with owner.read() as session:
            return {row.rolname: row.rolpassword for row in session.execute(rows)}

    before = stored()
    grant_roles(owner, PASSWORDS | {"lethe_worker": "it's another"})
    after = stored()
    assert all(password.startswith("SCRAM-SHA-256$") for password in after.values())
    assert before["lethe_worker"] != after["lethe_worker"]


def test_an_owner_who_may_not_create_roles_uses_those_that_exist(postgres_url: str) -> None:
    with postgres_copy(postgres_url, EMPTY) as url:
        name = make_url(url).database
        admin = Database(url)
        with admin.write() as session:
            session.execute(text("DROP ROLE IF EXISTS plain_owner"))
            session.execute(text("CREATE ROLE plain_owner LOGIN"))
            session.execute(text(f'ALTER DATABASE "{name}" OWNER TO plain_owner'))
            session.execute(text("GRANT ALL ON SCHEMA public TO plain_owner"))
        owner = Database(make_url(url).set(username="plain_owner").render_as_string())
        upgrade(owner)
        with pytest.raises(MissingRole, match="lethe_elsewhere"):
            grant_roles(owner, {"lethe_elsewhere": "secret"})
        grant_roles(admin, PASSWORDS)
        grant_roles(owner, PASSWORDS)
        worker = as_role(owner, "lethe_worker")
        require_newest(worker)
        assert refused(worker, "CREATE TABLE mine (x int)")
        worker.dispose()
        owner.dispose()
        admin.dispose()

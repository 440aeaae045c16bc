from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import bindparam, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.pool import NullPool

from services.core.models import Account, Evaluation, Score, Team
from services.core.store.database import Base, Database, utc_now
from services.core.store.migrate import upgrade
from services.core.store.schema import DatabaseUnreachable, OtherSchema, require_newest


def test_migrations_give_exactly_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []


def test_upgrade_twice_is_harmless(database: Database) -> None:
    upgrade(database)
    assert "evaluations" in inspect(database.engine).get_table_names()


def test_an_older_or_newer_schema_is_told_apart_from_ours(database: Database) -> None:
    require_newest(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(OtherSchema, match="lethe migrate"):
        require_newest(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(OtherSchema, match="Upgrade this installation"):
        require_newest(database)
    with database.write() as session:
        session.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(OtherSchema, match="lethe migrate"):
        require_newest(database)


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    database = Database("postgresql+psycopg://lethe:hunter2@127.0.0.1:1/lethe")
    with pytest.raises(DatabaseUnreachable, match=r"127\.0\.0\.1:1/lethe does not answer") as raised:
        require_newest(database)
    assert "hunter2" not in raised.value.message


def test_connections_that_the_server_closed_are_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.engine.dialect.name != "postgresql":
        return  # SQLite has no server
    monkeypatch.setattr("services.core.store.database.TRUSTED_S", 0.0)
    with database.read() as session, database.read() as other:
        session.execute(text("SELECT 1"))
        other.execute(text("SELECT 1"))
    killing = create_engine(database.engine.url, poolclass=NullPool)
    with killing.connect() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
    with database.read() as session, database.read() as other:
        assert session.scalars(select(Team)).all() == other.scalars(select(Team)).all() == []


def test_postgres_finds_out_soon_that_a_client_died(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        return  # SQLite has no server
    with database.read() as session:
        found = [session.scalar(text(f"SHOW tcp_keepalives_{one}")) for one in ("idle", "interval", "count")]
    assert found == ["10", "5", "3"]


def test_a_glance_reads_one_row(database: Database) -> None:
    of_name = select(Team.name).where(Team.name == bindparam("name"))
    with database.write() as session:
        session.add(Team(name="there"))
    assert database.glance(of_name, {"name": "there"}) == ("there",)
    assert database.glance(of_name, {"name": "not there"}) is None


def test_write_rolls_back_when_the_block_raises(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(Team(name="lost"))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.scalars(select(Team)).all() == []


def test_datetimes_come_back_aware_and_in_utc(database: Database) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    with database.write() as session:
        session.add(Team(name="t", created_at=moment))
    with database.read() as session:
        assert session.scalars(select(Team.created_at)).one() == moment


def test_naive_datetime_is_refused(database: Database) -> None:
    with pytest.raises(StatementError), database.write() as session:
        session.add(Team(name="t", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_unknown_choice_is_refused_by_the_database(database: Database) -> None:
    with pytest.raises(DBAPIError), database.write() as session:
        session.execute(
            text(
                "INSERT INTO accounts (id, username, password_hash, role, created_at) "
                "VALUES ('0', 'u', '-', 'emperor', '2026-01-01')"
            )
        )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_score_that_is_no_number_is_refused(database: Database, evaluation: Evaluation, value: float) -> None:
    numbers = dict.fromkeys(
        ["forgetting_quality", "forgetting_quality_low", "forgetting_quality_high", "utility", "utility_low"], 0.5
    ) | dict.fromkeys(["utility_high", "final_score", "ci_low", "ci_high", "run_s"], 0.5)
    with pytest.raises(DBAPIError), database.write() as session:
        session.add(
            Score(
                evaluation_id=evaluation.id,
                metric="neurips-2023",
                seeds=8,
                distinct_models=8,
                effective_models=8,
                **(numbers | {"final_score": value}),
            )
        )


def test_reader_cannot_write_on_postgres(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        return
    with pytest.raises((OperationalError, DBAPIError)), database.read() as session:
        session.add(Account(username="u", password_hash="-", created_at=utc_now()))
        session.flush()

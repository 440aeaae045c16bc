"""A database of the first schema, with a row in every table, is brought to the newest one."""

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from services.core.models import (
    Competition,
    Evaluation,
    Line,
    MeasurementRow,
    Phase,
    Registration,
    RegistrationMode,
    RegistrationState,
    Score,
    Shard,
    Submission,
    SubmissionKind,
    SubmissionNote,
    Team,
)
from services.core.record.chain import link
from services.core.record.verifying import verify_database
from services.core.store.database import Base, Database
from services.core.store.migrate import alembic_config, upgrade
from services.core.store.schema import known_revisions, require_newest

FIRST = "0001"
TAGS = ("grösse", "WIDE", "wid")
MOMENT = "2026-01-02 03:04:05.678901"
SHA256 = "a" * 64
BOUNDS = [f"{name}{end}" for name in ("forgetting_quality", "utility") for end in ("", "_low", "_high")]


def key(number: int) -> str:
    """Write a UUID as either database takes it."""
    return UUID(int=number).hex


ACCOUNT, TEAM, BENCHMARK, COMPETITION, PHASE, EVALUATION, SUBMISSION, SCORE, OTHER = map(key, range(1, 10))
DROPPED = {("scores", "time_ratio"), ("competitions", "organiser_id")}  # or renamed, by a later schema
MADE = {"lines", "audit_events", "registrations", "seats"}  # tables that a later schema fills
ROWS: dict[str, dict[str, Any]] = {  # in the order of their foreign keys
    "accounts": {"id": ACCOUNT, "username": "ada", "password_hash": "-", "role": "organiser", "created_at": MOMENT},
    "benchmarks": {
        "id": BENCHMARK,
        "digest": SHA256,
        "name": "tiny",
        "manifest": '{"classes": 10}',
        "manifest_blob": SHA256,
        "created_at": MOMENT,
    },
    "teams": {"id": TEAM, "name": "ada", "created_at": MOMENT},
    "competitions": {
        "id": COMPETITION,
        "slug": "cup",
        "title": "Cup",
        "description": "",
        "organiser_id": ACCOUNT,
        "created_at": MOMENT,
    },
    "team_members": {"team_id": TEAM, "account_id": ACCOUNT},
    "tokens": {
        "id": OTHER,
        "account_id": ACCOUNT,
        "kind": "api",
        "name": "script",
        "digest": SHA256,
        "created_at": MOMENT,
        "expires_at": MOMENT,
        "revoked_at": None,
    },
    "phases": {
        "id": PHASE,
        "competition_id": COMPETITION,
        "slug": "feedback",
        "kind": "feedback",
        "benchmark_id": BENCHMARK,
        "opens_at": MOMENT,
        "closes_at": MOMENT.replace("2026", "2027"),
        "seeds": 8,
        "shard_seeds": 8,
        "quota_per_day": 5,
        "seed_timeout_s": 1.5,
        "memory_bytes": 2**33,
        "device": "cpu",
        "metric": "neurips-2023",
        "max_time_ratio": 0.2,
        "data_hidden": True,
        "created_at": MOMENT,
    },
    "evaluations": {
        "id": EVALUATION,
        "phase_id": PHASE,
        "benchmark_id": BENCHMARK,
        "code_sha256": SHA256,
        "seeds": 8,
        "seed_key": bytes(range(32)),
        "state": "measured",
        "device_class": "cpu-x86_64",
        "failure_kind": None,
        "failure_message": None,
        "seeds_done": 8,
        "last_event": 1,
        "provenance": '{"sandbox": "docker"}',
        "created_at": MOMENT,
        "started_at": MOMENT,
        "finished_at": MOMENT,
    },
    "events": {
        "evaluation_id": EVALUATION,
        "sequence": 1,
        "kind": "measured",
        "payload": '{"seeds": 8}',
        "created_at": MOMENT,
    },
    "measurements": {
        "evaluation_id": EVALUATION,
        "seed": 0,
        "blob": SHA256,
        "checkpoint_sha256": SHA256,
        "run_s": 0.25,
        "created_at": MOMENT,
    },
    "scores": {
        "id": SCORE,
        "evaluation_id": EVALUATION,
        "metric": "neurips-2023",
        **dict.fromkeys([*BOUNDS, "final_score", "ci_low", "ci_high", "run_s"], 0.5),
        **dict.fromkeys(["seeds", "distinct_models", "effective_models"], 8),
        **dict.fromkeys(["time_ratio", "ceiling", "ceiling_low", "ceiling_high"]),
        **dict.fromkeys(["generalisation_low", "generalisation_high", "audit"]),
        **dict.fromkeys(["flags", "alarms", "subject_points", "epsilons"], "[]"),
        "halves": "[[0.5, 0.25], [0.25, 1.0]]",
        "suites": '{"klom": {"forget_mean": 1.0}}',
        "created_at": MOMENT,
    },
    "shards": {
        "id": OTHER,
        "evaluation_id": EVALUATION,
        "seed_start": 0,
        "seed_stop": 8,
        "state": "measured",
        "available_at": MOMENT,
        "attempt": 1,
        "fence": 1,
        "worker": "w1",
        "lease_expires_at": None,
    },
    "submissions": {
        "id": SUBMISSION,
        "phase_id": PHASE,
        "team_id": TEAM,
        "account_id": ACCOUNT,
        "evaluation_id": EVALUATION,
        "name": "first",
        "filename": "entry.py",
        "kind": "module",
        "reference": "none",
        "blob": SHA256,
        "size_bytes": 100,
        "created_at": MOMENT,
    },
    "leaderboard_entries": {
        "id": OTHER,
        "phase_id": PHASE,
        "team_id": TEAM,
        "submission_id": SUBMISSION,
        "score_id": SCORE,
        "reference": "none",
        "final_score": 0.5,
        "submitted_at": MOMENT,
        "published_at": MOMENT,
        "retired_at": None,
    },
}


@pytest.fixture
def first(empty_database_url: str) -> Iterator[Database]:
    """A database of the first schema, with a row in every table."""
    database = Database(empty_database_url)
    upgrade(database, FIRST)
    with database.write() as session:
        for table, row in ROWS.items():
            values = ", ".join(f":{column}" for column in row)
            session.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
    yield database
    database.dispose()


def stored(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Read what is in the columns that the first schema had, and the newest one has too."""
    with database.read() as session:
        return {
            table: [tuple(row) for row in session.execute(text(f"SELECT {', '.join(columns)} FROM {table}"))]
            for table, row in ROWS.items()
            if (columns := [column for column in row if (table, column) not in DROPPED])
        }


def test_rows_are_written_into_every_table_and_column_of_the_first_schema(first: Database) -> None:
    found = inspect(first.engine)
    tables = set(found.get_table_names()) - {"alembic_version"}
    assert {table: {column["name"] for column in found.get_columns(table)} for table in tables} == {
        table: set(row) for table, row in ROWS.items()
    }


def test_upgrade_from_the_first_schema_changes_no_row(first: Database) -> None:
    before = stored(first)
    upgrade(first)
    require_newest(first)
    assert stored(first) == before
    assert all(len(rows) == 1 for rows in before.values())


def test_rows_of_the_first_schema_are_read_by_the_newest_models(first: Database) -> None:
    upgrade(first)
    with first.read() as session:
        for mapper in Base.registry.mappers:
            rows = session.scalars(select(mapper.class_)).all()
            assert len(rows) == (mapper.class_.__tablename__ in ROWS.keys() | MADE)
        phase = session.scalars(select(Phase)).one()
        assert (phase.notebooks, phase.take_first, phase.notebook_timeout_s) == (False, False, 28800)
        assert phase.rehearse
        evaluation = session.scalars(select(Evaluation)).one()
        assert (evaluation.dry_run, evaluation.checkpoints_written, evaluation.log_blob) == (False, 0, None)
        assert (evaluation.seed_key, evaluation.provenance) == (bytes(range(32)), {"sandbox": "docker"})
        assert (evaluation.measurements_blob, evaluation.readings_until) == (None, evaluation.finished_at)
        assert not evaluation.may_lack_score
        score = session.scalars(select(Score)).one()
        assert (score.certificate, score.histograms, score.suites) == (None, None, {"klom": {"forget_mean": 1.0}})
        assert array("d", score.gaps).tolist() == [0.25, -0.75]
        assert phase.board_moved_at == datetime.fromisoformat(MOMENT).replace(tzinfo=UTC)
        submission = session.scalars(select(Submission)).one()
        assert (submission.kind, submission.claim) == (SubmissionKind.MODULE, None)
        assert session.scalars(select(MeasurementRow.peak_memory_bytes)).one() is None


def test_a_time_ratio_that_was_kept_leaves_its_suite(first: Database) -> None:
    with first.write() as session:
        session.execute(text("""UPDATE scores SET suites = '{"ssd": {"mia": 0.5, "time_ratio": 0.1}, "klom": {}}'"""))
    upgrade(first)
    with first.read() as session:
        assert session.scalars(select(Score.suites)).one() == {"ssd": {"mia": 0.5}, "klom": {}}


def test_open_shards_wait_in_the_lines_of_their_teams(first: Database) -> None:
    with first.write() as session:
        session.execute(text("UPDATE evaluations SET state = 'queued', device_class = NULL"))
        session.execute(text("UPDATE shards SET state = 'queued'"))
    upgrade(first)
    with first.read() as session:
        line = session.scalars(select(Line)).one()
        assert (line.phase_id, line.team_id, line.queued) == (UUID(PHASE), UUID(TEAM), 1)
        shard = session.scalars(select(Shard)).one()
        assert (shard.line_id, shard.device_class) == (line.id, None)
        assert shard.queued_at == session.scalars(select(Evaluation.created_at)).one()


def test_teams_that_look_alike_already_keep_their_names_and_the_oldest_its_look(first: Database) -> None:
    with first.write() as session:
        for number, name in ((20, "bob"), (21, "b0b")):
            session.execute(
                text("INSERT INTO teams VALUES (:id, :name, :at)"), {"id": key(number), "name": name, "at": MOMENT}
            )
    upgrade(first)
    with first.read() as session:
        assert sorted(session.scalars(select(Team.name))) == ["ada", "b0b", "bob"]
        found = sorted(session.scalars(select(Team.skeleton)))
    assert found[1:] == ["ada", "bob"]
    assert found[0].startswith("#")
    with pytest.raises(IntegrityError), first.write() as session:
        session.add(Team(name="ada-1"))
        session.add(Team(name="ada-l"))


def test_organisers_become_owners_and_whoever_submitted_is_registered(first: Database) -> None:
    upgrade(first)
    with first.read() as session:
        competition = session.scalars(select(Competition)).one()
        assert (competition.owner_id, competition.members) == (UUID(ACCOUNT), [])
        assert competition.registration is RegistrationMode.OPEN
        found = session.scalars(select(Registration)).one()
        assert (found.competition_id, found.account_id) == (competition.id, UUID(ACCOUNT))
        assert (found.username, found.state) == ("ada", RegistrationState.ACCEPTED)
        assert found.created_at == session.scalars(select(Submission.created_at)).one()


def test_scores_that_were_there_are_on_record(first: Database) -> None:
    upgrade(first)
    with first.write() as session:
        assert link(session) == 1
    assert verify_database(first).problems == []
    with first.write() as session:
        session.execute(text("UPDATE scores SET final_score = 0.75"))
    assert len(verify_database(first).problems) == 1


def test_tags_that_were_there_are_found(first: Database) -> None:
    upgrade(first, "0050")
    with first.write() as session:
        statement = text("INSERT INTO submission_notes VALUES (:id, '', :tags, :at)")
        session.execute(statement, {"id": SUBMISSION, "tags": '["Gr\\u00f6\\u00dfe", "wide"]', "at": MOMENT})
    upgrade(first)
    with first.read() as session:
        found = [session.scalars(select(SubmissionNote).where(SubmissionNote.has_tag(one))).all() for one in TAGS]
    assert [len(rows) for rows in found] == [1, 1, 0]


def test_upgraded_database_keeps_its_rules(first: Database) -> None:
    upgrade(first)
    with first.write() as session:
        session.execute(text("UPDATE submissions SET kind = 'notebook'"))
        session.execute(text("UPDATE evaluations SET failure_kind = 'unstable'"))
    for broken in (
        "UPDATE evaluations SET failure_kind = 'fate'",
        "UPDATE evaluations SET state = 'undecided'",
        "UPDATE submissions SET kind = 'poem'",
        "UPDATE phases SET seeds = 0",
        "UPDATE scores SET final_score = -1",
        "DELETE FROM benchmarks",
        "DELETE FROM evaluations",
    ):
        with pytest.raises(IntegrityError), first.write() as session:
            session.execute(text(broken))


def test_names_of_files_tell_the_revisions_in_their_order(first: Database) -> None:
    with first.engine.connect() as connection:
        history = ScriptDirectory.from_config(alembic_config(connection))
    assert known_revisions() == [one.revision for one in history.walk_revisions()][::-1]

"""JSON columns: what the first schema wrote is read after fields were renamed, added and retired, on both databases."""

import json
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import AliasChoices, Field, ValidationError
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.dialects import sqlite

from services.core.models import Campaign, Evaluation, Event, EventKind, Score
from services.core.models.stored import (
    AlarmForm,
    AuditForm,
    CertificateForm,
    EventPayload,
    HistogramsForm,
    StoredForm,
    StoredJson,
    SuiteValues,
)
from services.core.queue.lifecycle import add_event, lock_evaluation
from services.core.store.database import Database
from services.core.submission.certificate import Claim

SIDES = {"low": -1.5, "high": 2.5, "unlearned": [1, 0, 7], "oracle": [0, 8, 0]}
WRITTEN: dict[str, Any] = {
    "alarms": [{"kind": "above_ceiling", "message": "F is 0.9."}, {"kind": "retired_kind", "message": "Look."}],
    "suites": {"klom": {"forget_mean": 1.5, "forget_p95": None}, "retired-suite": {"column": 2.0}},
    "halves": [[0.1, 0.2], [0.3, 0.4]],
    "certificate": {
        "epsilon": 1.0,
        "delta": 0.00390625,
        "accountant_epsilon": 0.75,
        "audited_epsilon": None,
        "largest_auditable": None,
        "notes": ["Not audited: the runs of a notebook are not independent."],
    },
    "audit": {
        "bounds": [0.0, 0.5],
        "largest_certifiable": 2.5,
        "claims": 2,
        "gaussian": [1.0, 2.0],
        "gaussian_fits": [True, False],
    },
    "histograms": {
        "bucket": 0.5,
        "epsilons": [4, 4, 0],
        "confidences": SIDES,
        "examples": [{"place": "best", "example": 3, "epsilon": 0.25, "confidences": SIDES}],
    },
}
PAYLOAD = {"seeds_done": 2, "seeds": 8, "checkpoints_written": 0}
PROVENANCE = {"sandbox": "docker", "image_id": "sha256:1", "retired": "value"}
FIGURES = (
    "forgetting_quality",
    "forgetting_quality_low",
    "forgetting_quality_high",
    "utility",
    "utility_low",
    "utility_high",
    "final_score",
    "ci_low",
    "ci_high",
)
CLAIM = {"method": "other", "epsilon": 1.0, "delta": 0.25, "steps": None, "epochs": None, "retired": 1}


class RenamedCertificate(StoredForm):
    """The certificate as it may be one day: one field renamed, one added, one retired."""

    proven_epsilon: float | None = Field(validation_alias=AliasChoices("proven_epsilon", "audited_epsilon"))
    epsilon: float
    delta: float
    accountant: str = "unknown"


class SecondCertificate(StoredForm):
    """The certificate after a change of its structure."""

    VERSION: ClassVar[int] = 2

    claimed: tuple[float, float]

    @classmethod
    def from_version(cls, version: int, written: dict[str, Any]) -> dict[str, Any]:
        return {"claimed": (written["epsilon"], written["delta"])} if version == 1 else written


@pytest.fixture
def score_id(database: Database, evaluation: Evaluation) -> UUID:
    """A score whose JSON columns were written as the first schema did, without any form."""
    row = Score(
        evaluation_id=evaluation.id,
        metric="neurips-2023",
        run_s=1.0,
        **dict.fromkeys(FIGURES, 0.5),
        **dict.fromkeys(["seeds", "distinct_models", "effective_models"], 8),
    )
    with database.write() as session:
        session.add(row)
        session.flush()
        written = {name: json.dumps(value) for name, value in WRITTEN.items()}
        assignments = ", ".join(f"{name} = :{name}" for name in written)
        session.execute(text(f"UPDATE scores SET {assignments}"), written)
        return row.id


def test_a_score_of_the_first_schema_is_read(database: Database, score_id: UUID) -> None:
    with database.read() as session:
        found = session.get_one(Score, score_id)
        assert found.alarms == [
            AlarmForm(kind="above_ceiling", message="F is 0.9."),
            AlarmForm(kind="retired_kind", message="Look."),
        ]
        assert (found.suites, found.halves) == (WRITTEN["suites"], WRITTEN["halves"])
        assert found.certificate is not None and found.audit is not None and found.histograms is not None
        assert found.certificate.model_dump(mode="json") == WRITTEN["certificate"]
        assert found.audit.model_dump(mode="json") == WRITTEN["audit"]
        assert found.histograms.model_dump(mode="json") == WRITTEN["histograms"]


@pytest.mark.usefixtures("score_id")
def test_a_certificate_is_read_after_fields_were_renamed_added_and_retired(database: Database) -> None:
    one = Table("scores", MetaData(), Column("certificate", StoredJson(RenamedCertificate)))
    with database.read() as session:
        found = session.execute(select(one.c.certificate)).scalar_one()
    assert found == RenamedCertificate(proven_epsilon=None, epsilon=1.0, delta=0.00390625, accountant="unknown")


@pytest.mark.usefixtures("score_id")
def test_a_certificate_is_read_after_its_structure_changed(database: Database) -> None:
    one = Table("scores", MetaData(), Column("certificate", StoredJson(SecondCertificate)))
    with database.write() as session:
        assert session.execute(select(one.c.certificate)).scalar_one().claimed == (1.0, 0.00390625)
        session.execute(one.update().values(certificate=SecondCertificate(claimed=(2.0, 0.5))))
        assert session.execute(text("SELECT certificate FROM scores")).scalar_one() in (
            {"claimed": [2.0, 0.5], "version": 2},
            '{"claimed": [2.0, 0.5], "version": 2}',
        )
        assert session.execute(select(one.c.certificate)).scalar_one().claimed == (2.0, 0.5)


def test_events_provenance_and_claims_of_the_first_schema_are_read(database: Database, evaluation: Evaluation) -> None:
    with database.write() as session:
        add_event(session, lock_evaluation(session, evaluation.id), EventKind.PROGRESS, seeds=8)
        session.flush()
        for table, column, value in (
            ("events", "payload", PAYLOAD | {"retired": 1}),
            ("evaluations", "provenance", PROVENANCE),
        ):
            session.execute(text(f"UPDATE {table} SET {column} = :value"), {"value": json.dumps(value)})
        session.expire_all()
        assert {one.model_dump_json() for one in session.scalars(select(Event.payload))} == {
            EventPayload.model_validate(PAYLOAD).model_dump_json()
        }
        assert session.get_one(Evaluation, evaluation.id).provenance == PROVENANCE


def test_a_claim_is_read_that_says_more_than_a_new_one_may() -> None:
    with pytest.raises(ValidationError, match="retired"):
        Claim.model_validate(CLAIM)
    read = StoredJson[Claim](Claim).process_result_value(CLAIM, sqlite.dialect())
    assert read == Claim(epsilon=1.0, delta=0.25)


def test_an_event_says_only_what_its_form_knows(database: Database, evaluation: Evaluation) -> None:
    with database.write() as session:
        row = lock_evaluation(session, evaluation.id)
        with pytest.raises(ValidationError, match="seed_done"):
            add_event(session, row, EventKind.PROGRESS, seed_done=2)


def test_a_form_is_written_with_its_version_and_a_missing_one_as_null(database: Database) -> None:
    forms = {
        "alarms": list[AlarmForm],
        "suites": SuiteValues,
        "certificate": CertificateForm,
        "audit": AuditForm,
        "histograms": HistogramsForm,
    }
    table = Table(
        "drawer",
        MetaData(),
        Column("id", Integer, primary_key=True),
        *(Column(name, StoredJson(form), nullable=True) for name, form in forms.items()),
    )
    with database.write() as session:
        table.create(session.connection())
        session.execute(insert(table), [{"id": 1} | WRITTEN, {"id": 2} | dict.fromkeys(forms)])
        for name in forms:
            assert session.scalar(text(f"SELECT count(*) FROM drawer WHERE {name} IS NULL")) == 1
            raw = session.scalar(text(f"SELECT {name} FROM drawer WHERE id = 1"))
            kept = json.loads(raw) if isinstance(raw, str) else raw
            versioned = {"version": 1} if name in ("certificate", "audit", "histograms") else {}
            assert kept == (WRITTEN[name] | versioned if isinstance(WRITTEN[name], dict) else WRITTEN[name])


def test_what_a_campaign_goes_without_is_named_by_evaluation(evaluation: Evaluation) -> None:
    assert Campaign(unscorable={evaluation.id: "why"}).set_aside == {evaluation.id}

"""Acts and scores are numbered and chained.

Revision: 0023
Revises: 0022
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

NOT_SCORED = "act <> 'scored'"
JSON = ("alarms", "audit", "certificate", "epsilons", "flags", "halves", "histograms", "subject_points", "suites")
UUIDS = ("id", "evaluation_id")


def upgrade() -> None:
    with op.batch_alter_table("audit_events") as batch_op:
        batch_op.add_column(sa.Column("number", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("hash", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("subject_id", sa.Uuid(), nullable=True))
        batch_op.alter_column("competition_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("account_id", existing_type=sa.Uuid(), nullable=True)
    op.create_index("uq_audit_events_number", "audit_events", ["number"], unique=True)
    op.create_index("ix_audit_events_subject", "audit_events", ["subject_id"])
    waits, act = sa.text("number IS NULL"), sa.text(NOT_SCORED)
    columns = ["created_at", "id"]
    op.create_index("ix_audit_events_waiting", "audit_events", columns, sqlite_where=waits, postgresql_where=waits)
    op.create_index(
        "ix_audit_events_acts", "audit_events", ["competition_id", *columns], sqlite_where=act, postgresql_where=act
    )
    _record_scores()


def _record_scores() -> None:
    """Put the scores that are there on record, as `services.core.record.acts` does from now on."""
    connection = op.get_bind()
    found = {column["name"] for column in sa.inspect(connection).get_columns("scores")}
    scores = sa.table("scores", *(sa.column(name, _type(name)) for name in sorted(found)))
    evaluations = sa.table("evaluations", sa.column("id", sa.Uuid()), sa.column("phase_id", sa.Uuid()))
    phases = sa.table("phases", sa.column("id", sa.Uuid()), sa.column("competition_id", sa.Uuid()))
    events = sa.table(
        "audit_events",
        *(sa.column(name, sa.Uuid()) for name in ("id", "competition_id", "subject_id")),
        sa.column("act"),
        sa.column("details", sa.JSON()),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    of = sa.select(evaluations.c.id, phases.c.competition_id).join_from(
        evaluations, phases, evaluations.c.phase_id == phases.c.id
    )
    for (score_id,) in connection.execute(sa.select(scores.c.id).order_by(scores.c.created_at)).all():
        row = connection.execute(sa.select(scores).where(scores.c.id == score_id)).one()._mapping
        competition = connection.execute(of.where(evaluations.c.id == row["evaluation_id"])).one().competition_id
        plain = {name: _plain(value) for name, value in row.items()}
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        names = {"evaluation": "evaluation_id", "metric": "metric", "final_score": "final_score"}
        details = {name: plain[column] for name, column in names.items()} | {"digest": digest}
        values = {"id": uuid4(), "competition_id": competition, "subject_id": score_id, "act": "scored"}
        connection.execute(sa.insert(events).values(**values, details=details, created_at=row["created_at"]))


def _type(name: str) -> Any:
    if name in JSON:
        return sa.JSON(none_as_null=True)
    if name in UUIDS:
        return sa.Uuid()
    return sa.DateTime(timezone=True) if name == "created_at" else None


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
        case _:
            return value


def downgrade() -> None:
    events = sa.table("audit_events", *(sa.column(name) for name in ("act", "competition_id", "account_id")))
    of_nobody = sa.or_(events.c.competition_id.is_(None), events.c.account_id.is_(None))
    op.execute(sa.delete(events).where(of_nobody))
    for name in (
        "ix_audit_events_acts",
        "ix_audit_events_waiting",
        "ix_audit_events_subject",
        "uq_audit_events_number",
    ):
        op.drop_index(name, "audit_events")
    with op.batch_alter_table("audit_events") as batch_op:
        batch_op.alter_column("account_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("competition_id", existing_type=sa.Uuid(), nullable=False)
        for name in ("subject_id", "hash", "number"):
            batch_op.drop_column(name)

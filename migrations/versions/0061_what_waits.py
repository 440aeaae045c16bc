"""Evaluations that wait for a score or for tidying are found by indexes, as are events of attempts that ended early.

Revision: 0061
Revises: 0060
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0061"
down_revision: str | None = "0060"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

NEEDS_NONE = """
    UPDATE evaluations SET may_lack_score = false
    WHERE state IN ('failed', 'cancelled') OR (state = 'measured' AND (dry_run OR EXISTS (
        SELECT 1 FROM scores JOIN phases ON phases.metric = scores.metric
        WHERE phases.id = evaluations.phase_id AND scores.evaluation_id = evaluations.id
    )))
"""
UNPACKED = """
    UPDATE evaluations SET readings_until = finished_at
    WHERE state = 'measured' AND measurements_blob IS NULL AND measurements_deleted_at IS NULL
"""
INDEXES = (
    (
        "ix_evaluations_readings",
        "evaluations",
        "readings_until",
        "readings_until IS NOT NULL",
        "readings_until IS NOT NULL",
    ),
    ("ix_evaluations_unscored", "evaluations", "finished_at", "may_lack_score = 1", "may_lack_score"),
    ("ix_events_broken_off", "events", "kind", *["kind IN ('retried', 'discarded', 'failed')"] * 2),
)


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("may_lack_score", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.execute(NEEDS_NONE)
    op.execute(UNPACKED)
    for name, table, column, sqlite, postgresql in INDEXES:
        op.create_index(name, table, [column], sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql))


def downgrade() -> None:
    for name, table, *_ in INDEXES:
        op.drop_index(name, table)
    op.execute("UPDATE evaluations SET readings_until = NULL WHERE measurements_blob IS NULL")
    op.drop_column("evaluations", "may_lack_score")

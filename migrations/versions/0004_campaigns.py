"""Campaigns: bulk rescoring and re-runs, and the record of organisers' acts.

Revision: 0004
Revises: 0003
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

OPEN = sa.text("state IN ('preparing', 'ready')")


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("metric", sa.String(length=63), nullable=False),
        sa.Column("metric_before", sa.String(length=63), nullable=False),
        sa.Column("re_run", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            _choice("campaignstate", "preparing", "ready", "published", "undone", "cancelled"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_campaigns_account_id")),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name=op.f("fk_campaigns_phase_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(op.f("ix_campaigns_phase_id"), "campaigns", ["phase_id"])
    op.create_index(
        "uq_campaigns_open", "campaigns", ["phase_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "re_runs",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("replaced_id", sa.Uuid(), nullable=False),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_re_runs_campaign_id")),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluations.id"], name=op.f("fk_re_runs_evaluation_id")),
        sa.ForeignKeyConstraint(["replaced_id"], ["evaluations.id"], name=op.f("fk_re_runs_replaced_id")),
        sa.PrimaryKeyConstraint("campaign_id", "replaced_id", name=op.f("pk_re_runs")),
        sa.UniqueConstraint("evaluation_id", name=op.f("uq_re_runs_evaluation_id")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "act",
            _choice("act", "campaign_started", "campaign_cancelled", "campaign_published", "campaign_undone"),
            nullable=False,
        ),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_audit_events_account_id")),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_audit_events_competition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_order", "audit_events", ["competition_id", "created_at"])


def downgrade() -> None:
    for table in ("audit_events", "re_runs", "campaigns"):
        op.drop_table(table)

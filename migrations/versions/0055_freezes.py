"""Organisers freeze a competition from its page; a consent to publish code names the rules in force.

Revision: 0055
Revises: 0054
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0055"
down_revision: str | None = "0054"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "freezes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("blob", sa.String(64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("head", sa.String(100), nullable=True),
        sa.Column("reason", sa.String(1000), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_freezes_competition_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_freezes_account_id")),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="freezestate"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freezes")),
    )
    op.create_index("ix_freezes_order", "freezes", ["competition_id", "created_at", "id"])
    op.create_index("ix_freezes_state", "freezes", ["state", "created_at"])
    op.add_column("consents", sa.Column("rules_version", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("consents", "rules_version")
    op.drop_table("freezes")

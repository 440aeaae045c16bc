"""Teams consent to publish code; organisers verify or refuse finalists, whose runs are repeated on another worker.

Revision: 0045
Revises: 0044
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | None = "0044"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.add_column(sa.Column("code_licence", sa.String(100), nullable=True))
        batch_op.add_column(sa.Column("code_licence_required", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("shards", sa.Column("avoids", sa.Text(), nullable=True))
    op.create_table(
        "consents",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("licence", sa.String(100), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_consents_submission_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_consents_account_id")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_consents")),
    )
    op.create_table(
        "finalists",
        sa.Column("final_id", sa.Uuid(), nullable=False),
        sa.Column("selected_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('in_review', 'verified', 'refused')", name="finaliststate"),
        sa.ForeignKeyConstraint(["final_id"], ["finals.id"], name=op.f("fk_finalists_final_id")),
        sa.ForeignKeyConstraint(["selected_id"], ["submissions.id"], name=op.f("fk_finalists_selected_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_finalists_account_id")),
        sa.PrimaryKeyConstraint("final_id", "selected_id", name=op.f("pk_finalists")),
    )
    op.create_table(
        "verifying_runs",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("replaced_id", sa.Uuid(), nullable=False),
        sa.Column("same_seeds", sa.Boolean(), nullable=False),
        sa.Column("avoids", sa.JSON(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluations.id"], name=op.f("fk_verifying_runs_evaluation_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_verifying_runs_submission_id")),
        sa.ForeignKeyConstraint(["replaced_id"], ["evaluations.id"], name=op.f("fk_verifying_runs_replaced_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_verifying_runs_account_id")),
        sa.PrimaryKeyConstraint("evaluation_id", name=op.f("pk_verifying_runs")),
    )
    op.create_index(op.f("ix_verifying_runs_submission_id"), "verifying_runs", ["submission_id"])


def downgrade() -> None:
    op.drop_table("verifying_runs")
    op.drop_table("finalists")
    op.drop_table("consents")
    op.drop_column("shards", "avoids")
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.drop_column("code_licence_required")
        batch_op.drop_column("code_licence")

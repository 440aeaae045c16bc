"""Organisers run chosen entries on chosen benchmarks beside the contest.

Revision: 0052
Revises: 0051
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0052"
down_revision: str | None = "0051"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "matrices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("seeds", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name="fk_matrices_competition_id"),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name="fk_matrices_phase_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_matrices_account_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matrices")),
    )
    op.create_index("ix_matrices_order", "matrices", ["competition_id", "created_at", "id"])
    op.create_table(
        "matrix_runs",
        sa.Column("matrix_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("benchmark_id", sa.Uuid(), nullable=False),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["matrix_id"], ["matrices.id"], name="fk_matrix_runs_matrix_id"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_matrix_runs_submission_id"),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmarks.id"], name="fk_matrix_runs_benchmark_id"),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluations.id"], name="fk_matrix_runs_evaluation_id"),
        sa.PrimaryKeyConstraint("matrix_id", "row", "column", name=op.f("pk_matrix_runs")),
    )
    op.create_index("uq_matrix_runs_evaluation", "matrix_runs", ["evaluation_id"], unique=True)


def downgrade() -> None:
    op.drop_table("matrix_runs")
    op.drop_table("matrices")

"""Runs have processor times, and the trainer's beside them; scores have costs, and time ratios an interval.

Revision: 0064
Revises: 0063
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0064"
down_revision: str | None = "0063"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ADDED: dict[str, tuple[str, ...]] = {
    "measurements": ("cpu_s", "trainer_s", "trainer_cpu_s"),
    "standings": ("retraining_cost",),
    "standing_rows": ("ratio_low", "ratio_high"),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.Double(), nullable=True))
    op.add_column("scores", sa.Column("cost", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("scores", "cost")
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column)

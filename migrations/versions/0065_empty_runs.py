"""Beside the trainer's run a measurement has the times of a run that does nothing.

Revision: 0065
Revises: 0064
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0065"
down_revision: str | None = "0064"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

COLUMNS = ("empty_s", "empty_cpu_s")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("measurements", sa.Column(column, sa.Double(), nullable=True))


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("measurements", column)

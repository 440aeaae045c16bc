"""A phase may audit its entries by placebo runs, which start from models that never saw the forget set.

Revision: 0056
Revises: 0055
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0056"
down_revision: str | None = "0055"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("phases") as batch_op:
        batch_op.add_column(sa.Column("placebo_audit", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("measurements", "evaluations"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("placebo_blob", sa.String(64), nullable=True))


def downgrade() -> None:
    for table in ("evaluations", "measurements"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("placebo_blob")
    with op.batch_alter_table("phases") as batch_op:
        batch_op.drop_column("placebo_audit")

"""A phase may read every model under stress: rounded weights, perturbed images, relearning.

Revision: 0048
Revises: 0046
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0048"
down_revision: str | None = "0046"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("phases") as batch_op:
        batch_op.add_column(sa.Column("robustness", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("measurements", "evaluations"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("stress_blob", sa.String(64), nullable=True))


def downgrade() -> None:
    for table in ("evaluations", "measurements"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("stress_blob")
    with op.batch_alter_table("phases") as batch_op:
        batch_op.drop_column("robustness")

"""What a participant is shown of a run: the histograms of its score, and the last that it printed.

Revision: 0005
Revises: 0004
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("scores") as batch_op:
        batch_op.add_column(sa.Column("histograms", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("evaluations") as batch_op:
        batch_op.add_column(sa.Column("log_blob", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("evaluations") as batch_op:
        batch_op.drop_column("log_blob")
    with op.batch_alter_table("scores") as batch_op:
        batch_op.drop_column("histograms")

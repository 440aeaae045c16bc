"""A place tells of how many draws it is the best.

Revision: 0025
Revises: 0024
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("standing_rows", sa.Column("draws", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("standing_rows", sa.Column("luck", sa.Double(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("standing_rows", table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.drop_column("luck")
        batch_op.drop_column("draws")

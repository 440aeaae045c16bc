"""A phase may have a title, and a quota in all.

Revision: 0027
Revises: 0026
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("phases", sa.Column("title", sa.String(200), nullable=True))
    op.add_column("phases", sa.Column("quota_total", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("phases") as batch_op:
        batch_op.drop_column("quota_total")
        batch_op.drop_column("title")

"""The measurements of an evaluation are packed into one blob; the blobs of its single runs are removed later.

Revision: 0018
Revises: 0017
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

INDEX = "ix_measurements_blob"


def upgrade() -> None:
    with op.batch_alter_table("evaluations") as batch_op:
        batch_op.add_column(sa.Column("measurements_blob", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("readings_until", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("measurements") as batch_op:
        batch_op.alter_column("blob", existing_type=sa.String(64), nullable=True)
    there = sa.text("blob IS NOT NULL")
    op.create_index(INDEX, "measurements", ["blob"], sqlite_where=there, postgresql_where=there)


def downgrade() -> None:
    op.drop_index(INDEX, "measurements")
    with op.batch_alter_table("measurements") as batch_op:
        batch_op.alter_column("blob", existing_type=sa.String(64), nullable=False)
    with op.batch_alter_table("evaluations") as batch_op:
        batch_op.drop_column("readings_until")
        batch_op.drop_column("measurements_blob")

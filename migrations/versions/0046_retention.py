"""A competition says how long data are kept after its end; rows remember what was deleted.

Revision: 0046
Revises: 0045
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0046"
down_revision: str | None = "0045"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("competitions", sa.Column("retention", sa.JSON(), nullable=True))
    op.add_column("submissions", sa.Column("code_deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("evaluations", sa.Column("measurements_deleted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("evaluations", "measurements_deleted_at")
    op.drop_column("submissions", "code_deleted_at")
    op.drop_column("competitions", "retention")

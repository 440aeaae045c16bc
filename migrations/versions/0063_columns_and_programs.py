"""A phase chooses which secondary columns its leaderboard shows; a score names the program that computed it.

Revision: 0063
Revises: 0062
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0063"
down_revision: str | None = "0062"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("phases", sa.Column("columns", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("scores", sa.Column("program", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("scores", "program")
    op.drop_column("phases", "columns")

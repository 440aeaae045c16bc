"""A team knows when it was renamed last, so that kept pages with its old name are read anew.

Revision: 0066
Revises: 0065
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0066"
down_revision: str | None = "0065"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("teams", sa.Column("renamed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_teams_renamed", "teams", ["renamed_at"])
    op.drop_index("ix_accounts_deleted", "accounts")


def downgrade() -> None:
    op.create_index("ix_accounts_deleted", "accounts", ["deleted_at"])
    op.drop_index("ix_teams_renamed", "teams")
    op.drop_column("teams", "renamed_at")

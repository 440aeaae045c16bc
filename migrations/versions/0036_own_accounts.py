"""Accounts have an e-mail address, a profile and preferences, and can be deleted; tokens have scopes.

Revision: 0036
Revises: 0035
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0036"
down_revision: str | None = "0035"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
ALL_SCOPES = "read submit organise operate"


def upgrade() -> None:
    for column in (
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("email_verified_at", MOMENT, nullable=True),
        sa.Column("display_name", sa.String(100), server_default="", nullable=False),
        sa.Column("affiliation", sa.String(200), server_default="", nullable=False),
        sa.Column("link", sa.String(500), server_default="", nullable=False),
        sa.Column("mail_wanted", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("time_zone", sa.String(64), server_default="", nullable=False),
        sa.Column("theme", sa.String(24), server_default="system", nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
    ):
        op.add_column("accounts", column)
    op.create_index("ix_accounts_email", "accounts", ["email"])
    op.create_index("ix_accounts_deleted", "accounts", ["deleted_at"])
    op.add_column("tokens", sa.Column("scope", sa.String(60), server_default=ALL_SCOPES, nullable=False))


def downgrade() -> None:
    op.drop_column("tokens", "scope")
    op.drop_index("ix_accounts_deleted", "accounts")
    op.drop_index("ix_accounts_email", "accounts")
    for name in ("deleted_at", "theme", "time_zone", "mail_wanted", "link", "affiliation", "display_name"):
        op.drop_column("accounts", name)
    op.drop_column("accounts", "email_verified_at")
    op.drop_column("accounts", "email")

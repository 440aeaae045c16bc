"""People choose by kind what they are told of, and by which way; members and submissions are shown to all by consent.

Revision: 0057
Revises: 0056
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0057"
down_revision: str | None = "0056"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("notice_kinds", sa.JSON(), nullable=True))
    op.add_column("accounts", sa.Column("mail_kinds", sa.JSON(), nullable=True))
    op.add_column("accounts", sa.Column("shown_in_teams", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "shared_submissions",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_shared_submissions_submission_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_shared_submissions_account_id"),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_shared_submissions")),
    )
    op.create_index("ix_shared_submissions_account_id", "shared_submissions", ["account_id"])


def downgrade() -> None:
    op.drop_table("shared_submissions")
    for name in ("shown_in_teams", "mail_kinds", "notice_kinds"):
        op.drop_column("accounts", name)

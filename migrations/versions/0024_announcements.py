"""Organisers announce things on the page of a competition.

Revision: 0024
Revises: 0023
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name="fk_announcements_competition_id_competitions"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_announcements_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    shown = sa.text("retracted_at IS NULL")
    columns = ["competition_id", "created_at", "id"]
    op.create_index("ix_announcements_shown", "announcements", columns, sqlite_where=shown, postgresql_where=shown)


def downgrade() -> None:
    op.drop_table("announcements")

"""A competition has an owner, and members who run or review it.

Revision: 0032
Revises: 0029
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0032"
down_revision: str | None = "0029"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ORGANISER, OWNER = "fk_competitions_organiser_id", "fk_competitions_owner_id"
WITH_A_ROLE = sa.text("role <> 'participant'")


def upgrade() -> None:
    _rename("organiser_id", "owner_id", ORGANISER, OWNER)
    op.create_table(
        "members",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('organiser', 'reviewer')", name="role"),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_members_competition_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_members_account_id")),
        sa.PrimaryKeyConstraint("competition_id", "account_id", name=op.f("pk_members")),
    )
    op.create_index(op.f("ix_members_account_id"), "members", ["account_id"])
    op.create_index(
        "ix_accounts_roles", "accounts", ["username"], sqlite_where=WITH_A_ROLE, postgresql_where=WITH_A_ROLE
    )


def downgrade() -> None:
    op.drop_index("ix_accounts_roles", "accounts")
    op.drop_table("members")
    _rename("owner_id", "organiser_id", OWNER, ORGANISER)


def _rename(old: str, new: str, old_key: str, new_key: str) -> None:
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.drop_constraint(op.f(old_key), type_="foreignkey")
        batch_op.alter_column(old, new_column_name=new, existing_type=sa.Uuid(), existing_nullable=False)
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.create_foreign_key(op.f(new_key), "accounts", [new], ["id"])

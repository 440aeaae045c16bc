"""A competition has a file: pages, versions, and who sees it.

Revision: 0026
Revises: 0025
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATES = ("draft", "public", "unlisted", "archived", "deleted")


def upgrade() -> None:
    visibility = sa.Enum(*STATES, name="visibility", native_enum=False, create_constraint=True, length=24)
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.add_column(sa.Column("visibility", visibility, nullable=False, server_default="public"))
        batch_op.add_column(sa.Column("contact", sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "competition_pages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name="fk_competition_pages_competition_id_competitions"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competition_pages")),
        sa.UniqueConstraint("competition_id", "slug", name=op.f("uq_competition_pages_competition_id_slug")),
    )
    op.create_table(
        "competition_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name="fk_competition_versions_competition_id_competitions"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_competition_versions_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competition_versions")),
        sa.UniqueConstraint("competition_id", "number", name=op.f("uq_competition_versions_competition_id_number")),
    )
    columns = ["competition_id", "created_at", "id"]
    op.create_index("ix_competition_versions_order", "competition_versions", columns)


def downgrade() -> None:
    op.drop_table("competition_versions")
    op.drop_table("competition_pages")
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.drop_column("contact")
        batch_op.drop_column("visibility")

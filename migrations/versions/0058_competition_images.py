"""Pages of a competition show images that its organisers uploaded.

Revision: 0058
Revises: 0057
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0058"
down_revision: str | None = "0057"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "competition_images",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("blob", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(63), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name="fk_competition_images_competition_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competition_images")),
        sa.UniqueConstraint("competition_id", "name", name="uq_competition_images_competition_id_name"),
    )


def downgrade() -> None:
    op.drop_table("competition_images")

"""Phases name the environment in which they run.

Revision: 0014
Revises: 0013
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "environments",
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("image", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column(
            "device",
            sa.Enum("cpu", "gpu", name="device", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("python", sa.String(40), nullable=False),
        sa.Column("packages", sa.JSON(), nullable=False),
        sa.Column("modules", sa.JSON(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("self_test", sa.String(200), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_environments")),
    )
    op.add_column("workers", sa.Column("environments", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("workers") as workers:
        workers.alter_column("environments", server_default=None)
    with op.batch_alter_table("phases") as phases:
        phases.add_column(sa.Column("environment", sa.String(63), nullable=False, server_default="current"))
    op.execute("UPDATE phases SET environment = 'current-cuda' WHERE device = 'gpu'")
    with op.batch_alter_table("phases") as phases:
        phases.alter_column("environment", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("phases") as phases:
        phases.drop_column("environment")
    with op.batch_alter_table("workers") as workers:
        workers.drop_column("environments")
    op.drop_table("environments")

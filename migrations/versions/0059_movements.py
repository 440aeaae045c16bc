"""How an entry moves weights is kept, and near-identical movements of different teams are listed.

Revision: 0059
Revises: 0058
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0059"
down_revision: str | None = "0058"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("movement", sa.LargeBinary(), nullable=True))
    kind = sa.Enum("code", "weights", name="copykind", native_enum=False, length=24)
    with op.batch_alter_table("copies") as batch_op:
        batch_op.add_column(sa.Column("kind", kind, nullable=False, server_default="code"))
        batch_op.create_check_constraint(op.f("ck_copies_copykind"), "kind IN ('code', 'weights')")


def downgrade() -> None:
    op.execute("DELETE FROM copies WHERE kind = 'weights'")
    with op.batch_alter_table("copies") as batch_op:
        batch_op.drop_constraint(op.f("ck_copies_copykind"), type_="check")
        batch_op.drop_column("kind")
    op.drop_column("evaluations", "movement")

"""The platform makes reference rows with a phase, and a board keeps the retraining time behind its ratios.

Revision: 0051
Revises: 0050
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0051"
down_revision: str | None = "0050"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = ("submissions", "leaderboard_entries", "campaign_moves")
OLD = ("none", "identity", "retrain")
SHORTER = ("retrain-5", "retrain-10", "retrain-20", "retrain-50")


def upgrade() -> None:
    _allow((*OLD, *SHORTER))
    with op.batch_alter_table("phases") as batch_op:
        batch_op.add_column(sa.Column("references", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("references_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("standings", sa.Column("retraining_s", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("standings", "retraining_s")
    with op.batch_alter_table("phases") as batch_op:
        batch_op.drop_column("references_at")
        batch_op.drop_column("references")
    op.execute(
        "UPDATE leaderboard_entries SET retired_at = published_at "
        "WHERE reference LIKE 'retrain-%' AND retired_at IS NULL"
    )
    for table in TABLES:  # what stays of a shorter retraining must not become a time reference
        rows = sa.table(table, sa.column("reference", sa.String()))
        op.execute(sa.update(rows).where(rows.c.reference.in_(SHORTER)).values(reference="identity"))
    _allow(OLD)


def _allow(references: Sequence[str]) -> None:
    """Let rows be of these kinds."""
    for table in TABLES:
        name = op.f(f"ck_{table}_reference")
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(name, type_="check")
            batch_op.create_check_constraint(name, f"reference IN ({', '.join(map(repr, references))})")

"""An entry whose forget outputs are pinned has no rank.

Revision: 0020
Revises: 0018
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0020"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

NAME = "ck_standing_rows_unranked"
REASONS = ("reference", "too_slow", "too_few_models")


def upgrade() -> None:
    _allow((*REASONS, "forget_set_pinned"))


def downgrade() -> None:
    op.execute("UPDATE standing_rows SET unranked = 'too_few_models' WHERE unranked = 'forget_set_pinned'")
    _allow(REASONS)


def _allow(reasons: Sequence[str]) -> None:
    """Let entries be unranked for these reasons."""
    with op.batch_alter_table("standing_rows", table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.drop_constraint(op.f(NAME), type_="check")
        batch_op.create_check_constraint(op.f(NAME), f"unranked IN ({', '.join(repr(one) for one in reasons)})")

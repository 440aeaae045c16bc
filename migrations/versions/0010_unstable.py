"""A kind of failure: it looks like the platform's, but follows one entry.

Revision: 0010
Revises: 0009
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

NAME = "ck_evaluations_failurekind"
KINDS = (
    "rejected",
    "import_error",
    "exception",
    "timeout",
    "out_of_memory",
    "bad_checkpoint",
    "too_much_output",
    "platform",
)


def upgrade() -> None:
    _allow((*KINDS, "unstable"))


def downgrade() -> None:
    op.execute("UPDATE evaluations SET failure_kind = 'exception' WHERE failure_kind = 'unstable'")
    _allow(KINDS)


def _allow(kinds: Sequence[str]) -> None:
    """Let failures be of these kinds."""
    with op.batch_alter_table("evaluations") as batch_op:
        batch_op.drop_constraint(op.f(NAME), type_="check")
        batch_op.create_check_constraint(op.f(NAME), f"failure_kind IN ({', '.join(repr(kind) for kind in kinds)})")

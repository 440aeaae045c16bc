"""An evaluation keeps what it loses on which forget example; tags of submissions can be found.

Revision: 0053
Revises: 0052
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0053"
down_revision: str | None = "0052"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


NOTES = sa.table(
    "submission_notes",
    sa.column("submission_id", sa.Uuid()),
    sa.column("tags", sa.JSON()),
    sa.column("folded_tags", sa.Text()),
)


def upgrade() -> None:
    with op.batch_alter_table("evaluations") as batch_op:
        batch_op.add_column(sa.Column("losses", sa.JSON(), nullable=True))
    with op.batch_alter_table("submission_notes") as batch_op:
        batch_op.add_column(sa.Column("folded_tags", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    for submission_id, tags in connection.execute(sa.select(NOTES.c.submission_id, NOTES.c.tags)).all():
        if tags:
            folded = "\n".join(["", *(tag.casefold() for tag in tags), ""])
            found = sa.update(NOTES).where(NOTES.c.submission_id == submission_id)
            connection.execute(found.values(folded_tags=folded))


def downgrade() -> None:
    with op.batch_alter_table("submission_notes") as batch_op:
        batch_op.drop_column("folded_tags")
    with op.batch_alter_table("evaluations") as batch_op:
        batch_op.drop_column("losses")

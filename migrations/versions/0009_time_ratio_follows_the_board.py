"""Nothing keeps a time ratio: it follows the retraining reference that stands on the board.

Revision: 0009
Revises: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SCORES = sa.table("scores", sa.column("id", sa.Uuid), sa.column("suites", sa.JSON))


def upgrade() -> None:
    op.drop_column("scores", "time_ratio")  # not as a batch, which would lose the table's checks on SQLite
    connection = op.get_bind()
    for score_id, suites in connection.execute(sa.select(SCORES.c.id, SCORES.c.suites)).all():
        if "time_ratio" in suites.get("ssd", {}):
            del suites["ssd"]["time_ratio"]
            connection.execute(sa.update(SCORES).where(SCORES.c.id == score_id).values(suites=suites))


def downgrade() -> None:
    op.add_column("scores", sa.Column("time_ratio", sa.Double(), nullable=True))

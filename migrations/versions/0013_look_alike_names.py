"""No two names of teams look alike.

Names that exist already are kept: of those that look alike, the oldest has their common form, and each other one a form
that no name has.

Revision: 0013
Revises: 0012
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from services.core.names import skeleton

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TEAMS = sa.table("teams", *(sa.column(name) for name in ("id", "name", "created_at", "skeleton")))


def upgrade() -> None:
    op.add_column("teams", sa.Column("skeleton", sa.String(39), nullable=False, server_default=""))
    connection = op.get_bind()
    taken: set[str] = set()
    rows = connection.execute(sa.select(TEAMS.c.id, TEAMS.c.name).order_by(TEAMS.c.created_at, TEAMS.c.id)).all()
    for number, (team_id, name) in enumerate(rows):
        form = skeleton(name) if skeleton(name) not in taken else f"#{number}"
        taken.add(form)
        connection.execute(sa.update(TEAMS).where(TEAMS.c.id == team_id).values(skeleton=form))
    op.create_index("uq_teams_skeleton", "teams", ["skeleton"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_teams_skeleton", "teams")
    op.drop_column("teams", "skeleton")

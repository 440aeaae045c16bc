"""A rescoring is published and undone beside requests, and keeps the number of its scores; indexes for lists.

Revision: 0060
Revises: 0059
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0060"
down_revision: str | None = "0059"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATES = "ck_campaigns_campaignstate"
OLD = ("preparing", "ready", "published", "undone", "cancelled")
NEW = (*OLD, "publishing", "undoing")
OPEN = "uq_campaigns_open"
PARTIAL = (
    ("ix_submissions_deleted", "submissions", ["phase_id"], "code_deleted_at IS NOT NULL"),
    ("ix_evaluations_platform", "evaluations", ["finished_at"], "failure_kind = 'platform'"),
    ("ix_scores_alarmed", "scores", ["metric", "evaluation_id"], "json_array_length(alarms) > 0"),
)
COUNTED = """
    UPDATE campaigns SET done = (
        SELECT count(*) FROM scores JOIN evaluations ON evaluations.id = scores.evaluation_id
        WHERE evaluations.phase_id = campaigns.phase_id AND scores.metric = campaigns.metric
    )
"""


def upgrade() -> None:
    op.drop_index(OPEN, "campaigns")
    with op.batch_alter_table("campaigns") as batch_op:
        batch_op.drop_constraint(op.f(STATES), type_="check")
        batch_op.create_check_constraint(op.f(STATES), f"state IN {NEW}")
        batch_op.add_column(sa.Column("done", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("total", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("runs_due", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("acted_by", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_campaigns_acted_by"), "accounts", ["acted_by"], ["id"])
    op.execute(COUNTED)
    op.execute("UPDATE campaigns SET total = done")
    _open_index("preparing", "ready", "publishing", "undoing")
    op.drop_index("ix_submissions_phase_id", "submissions")
    op.create_index("ix_submissions_newest", "submissions", ["phase_id", "created_at", "id"])
    for name, table, columns, where in PARTIAL:
        condition = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    for name, table, _, _ in PARTIAL:
        op.drop_index(name, table)
    op.drop_index("ix_submissions_newest", "submissions")
    op.create_index("ix_submissions_phase_id", "submissions", ["phase_id"])
    op.drop_index(OPEN, "campaigns")
    op.execute("UPDATE campaigns SET state = 'ready' WHERE state = 'publishing'")
    op.execute("UPDATE campaigns SET state = 'published' WHERE state = 'undoing'")
    with op.batch_alter_table("campaigns") as batch_op:
        batch_op.drop_constraint(op.f("fk_campaigns_acted_by"), type_="foreignkey")
        for column in ("acted_by", "runs_due", "total", "done"):
            batch_op.drop_column(column)
        batch_op.drop_constraint(op.f(STATES), type_="check")
        batch_op.create_check_constraint(op.f(STATES), f"state IN {OLD}")
    _open_index("preparing", "ready")


def _open_index(*states: str) -> None:
    condition = sa.text(f"state IN {states}")
    op.create_index(OPEN, "campaigns", ["phase_id"], unique=True, sqlite_where=condition, postgresql_where=condition)

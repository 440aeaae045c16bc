"""Entries and teams that are off the board, and more acts on record.

Revision: 0021
Revises: 0020
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ACTS = "ck_audit_events_act"
OLD_ACTS = ("campaign_started", "campaign_cancelled", "campaign_published", "campaign_undone")
OPEN = {
    "uq_exclusions_submission": (["submission_id", "kind"], "ended_at IS NULL AND submission_id IS NOT NULL"),
    "uq_exclusions_team": (["team_id", "competition_id"], "ended_at IS NULL AND submission_id IS NULL"),
}


def upgrade() -> None:
    with op.batch_alter_table("audit_events") as batch_op:
        batch_op.drop_constraint(op.f(ACTS), type_="check")
        batch_op.alter_column("act", existing_type=sa.String(24), type_=sa.String(40), existing_nullable=False)
    op.create_table(
        "exclusions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(2000), nullable=True),
        sa.CheckConstraint("kind IN ('disqualified', 'withdrawn')", name="exclusionkind"),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name="fk_exclusions_competition_id_competitions"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_exclusions_team_id_teams"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_exclusions_submission_id_submissions"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_exclusions_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusions")),
    )
    for name, (columns, where) in OPEN.items():
        condition = sa.text(where)
        op.create_index(name, "exclusions", columns, unique=True, sqlite_where=condition, postgresql_where=condition)
    op.create_index("ix_exclusions_team", "exclusions", ["team_id", "competition_id"])
    op.create_index("ix_exclusions_order", "exclusions", ["competition_id", "created_at"])


def downgrade() -> None:
    op.drop_table("exclusions")
    known = ", ".join(repr(act) for act in OLD_ACTS)
    acts = sa.table("audit_events", sa.column("act"))
    op.execute(sa.delete(acts).where(acts.c.act.not_in(OLD_ACTS)))
    with op.batch_alter_table("audit_events") as batch_op:
        batch_op.alter_column("act", existing_type=sa.String(40), type_=sa.String(24), existing_nullable=False)
        batch_op.create_check_constraint(op.f(ACTS), f"act IN ({known})")

"""Sealed finals: teams select entries, the organiser starts and publishes. Finals that are there go on taking uploads.

Revision: 0029
Revises: 0027
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | None = "0027"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "finals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("selects", sa.Integer(), nullable=False),
        sa.Column("draws_from", sa.JSON(), nullable=True),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_through", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("preview_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("preview", sa.JSON(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=True),
        sa.Column("joint_of", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("selects > 0", name="selects"),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name="fk_finals_phase_id_phases"),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name="fk_finals_competition_id_competitions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finals")),
        sa.UniqueConstraint("phase_id", name=op.f("uq_finals_phase_id")),
    )
    op.create_index("ix_finals_competition_id", "finals", ["competition_id"])
    op.create_table(
        "final_phases",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("final_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name="fk_final_phases_phase_id_phases"),
        sa.ForeignKeyConstraint(["final_id"], ["finals.id"], name="fk_final_phases_final_id_finals"),
        sa.PrimaryKeyConstraint("phase_id", name=op.f("pk_final_phases")),
        sa.UniqueConstraint("final_id", "place", name=op.f("uq_final_phases_final_id_place")),
    )
    op.create_table(
        "selections",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("final_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_selections_submission_id_submissions"),
        sa.ForeignKeyConstraint(["final_id"], ["finals.id"], name="fk_selections_final_id_finals"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_selections_team_id_teams"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_selections_account_id_accounts"),
        sa.PrimaryKeyConstraint("submission_id", "final_id", name=op.f("pk_selections")),
    )
    op.create_index("ix_selections_team", "selections", ["final_id", "team_id"])
    op.create_table(
        "entered",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("selected_id", sa.Uuid(), nullable=False),
        sa.Column("by_default", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_entered_submission_id_submissions"),
        sa.ForeignKeyConstraint(["selected_id"], ["submissions.id"], name="fk_entered_selected_id_submissions"),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_entered")),
    )
    op.create_index("ix_entered_selected_id", "entered", ["selected_id"])
    op.create_table(
        "joint_rows",
        sa.Column("final_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("mean_rank", sa.Double(), nullable=True),
        sa.Column("mean_low", sa.Double(), nullable=True),
        sa.Column("mean_high", sa.Double(), nullable=True),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["final_id"], ["finals.id"], name="fk_joint_rows_final_id_finals"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_joint_rows_team_id_teams"),
        sa.PrimaryKeyConstraint("final_id", "position", name=op.f("pk_joint_rows")),
    )


def downgrade() -> None:
    for table in ("joint_rows", "entered", "selections", "final_phases", "finals"):
        op.drop_table(table)

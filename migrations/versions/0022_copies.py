"""The normal form of code: equal code of a team shares an evaluation, near-identical code of others is listed.

Revision: 0022
Revises: 0021
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("submissions") as batch_op:
        batch_op.add_column(sa.Column("code_sha256", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("sketch", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE submissions SET code_sha256 = blob")
    with op.batch_alter_table("submissions") as batch_op:
        batch_op.alter_column("code_sha256", existing_type=sa.String(64), nullable=False)
        batch_op.create_index("ix_submissions_code", ["team_id", "phase_id", "code_sha256"])
    op.create_table(
        "code_bands",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name="fk_code_bands_competition_id_competitions"
        ),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_code_bands_submission_id_submissions"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_code_bands_team_id_teams"),
        sa.PrimaryKeyConstraint("competition_id", "number", "created_at", "submission_id", name=op.f("pk_code_bands")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("same_code", sa.Boolean(), nullable=False),
        sa.Column("likeness", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name="fk_copies_competition_id_competitions"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_copies_submission_id_submissions"),
        sa.ForeignKeyConstraint(["other_id"], ["submissions.id"], name="fk_copies_other_id_submissions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
    )
    op.create_index("ix_copies_order", "copies", ["competition_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_table("copies")
    op.drop_table("code_bands")
    with op.batch_alter_table("submissions") as batch_op:
        batch_op.drop_index("ix_submissions_code")
        batch_op.drop_column("sketch")
        batch_op.drop_column("code_sha256")

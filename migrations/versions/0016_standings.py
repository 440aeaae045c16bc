"""Leaderboards are computed when pointers move, and stored.

Revision: 0016
Revises: 0015
"""

from array import array
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ENTRIES = "leaderboard_entries"
PUBLISHED = """
UPDATE phases SET board_moved_at = (SELECT max(published_at) FROM leaderboard_entries WHERE phase_id = phases.id)
"""
RETIRED = """
UPDATE phases SET board_moved_at = (SELECT max(retired_at) FROM leaderboard_entries WHERE phase_id = phases.id)
WHERE board_moved_at < (SELECT max(retired_at) FROM leaderboard_entries WHERE phase_id = phases.id)
"""
INDEXES = {"team": ["team_id"], "published": ["published_at"], "retired": ["retired_at"]}


def upgrade() -> None:
    with op.batch_alter_table("phases") as batch_op:
        batch_op.add_column(sa.Column("board_moved_at", sa.DateTime(timezone=True), nullable=True))
    for name, columns in INDEXES.items():
        op.create_index(f"ix_{ENTRIES}_{name}", ENTRIES, ["phase_id", *columns])
    references = sa.text("reference <> 'none'")
    op.create_index(
        f"ix_{ENTRIES}_references", ENTRIES, ["phase_id"], sqlite_where=references, postgresql_where=references
    )
    op.execute(PUBLISHED)
    op.execute(RETIRED)
    with op.batch_alter_table("scores") as batch_op:
        batch_op.add_column(sa.Column("gaps", sa.LargeBinary(), nullable=False, server_default=sa.text("''")))
    _fill_gaps()
    op.create_table(
        "standings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metric", sa.String(63), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name=op.f("fk_standings_phase_id_phases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standings")),
    )
    op.create_index("ix_standings_board", "standings", ["phase_id", "moment"])
    op.create_table(
        "standing_rows",
        sa.Column("standings_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("unranked", sa.String(24), nullable=True),
        sa.Column("rank_best", sa.Integer(), nullable=True),
        sa.Column("rank_worst", sa.Integer(), nullable=True),
        sa.Column("tie_group", sa.Integer(), nullable=True),
        sa.Column("time_ratio", sa.Double(), nullable=True),
        sa.CheckConstraint("unranked IN ('reference', 'too_slow', 'too_few_models')", name="unranked"),
        sa.ForeignKeyConstraint(["standings_id"], ["standings.id"], name="fk_standing_rows_standings_id_standings"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["leaderboard_entries.id"], name="fk_standing_rows_entry_id_leaderboard_entries"
        ),
        sa.PrimaryKeyConstraint("standings_id", "position", name=op.f("pk_standing_rows")),
        sqlite_with_rowid=False,
    )
    op.create_index("uq_standing_rows_entry", "standing_rows", ["standings_id", "entry_id"], unique=True)
    op.create_table(
        "asked_boards",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name=op.f("fk_asked_boards_phase_id_phases")),
        sa.PrimaryKeyConstraint("phase_id", "moment", name=op.f("pk_asked_boards")),
    )
    with op.batch_alter_table("campaigns") as batch_op:
        batch_op.add_column(sa.Column("inputs", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("preview", sa.JSON(), nullable=True))
    op.create_table(
        "campaign_moves",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(24), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("ranks_up", sa.Integer(), nullable=True),
        sa.Column("separated", sa.Boolean(), nullable=False),
        sa.Column("re_run_failed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("reference IN ('none', 'identity', 'retrain')", name="reference"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_campaign_moves_campaign_id_campaigns"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_campaign_moves_team_id_teams")),
        sa.PrimaryKeyConstraint("campaign_id", "position", name=op.f("pk_campaign_moves")),
    )


def _fill_gaps() -> None:
    """Take from the halves of each score what ranking uses of them."""
    scores = sa.table("scores", sa.column("id"), sa.column("halves", sa.JSON()), sa.column("gaps", sa.LargeBinary()))
    connection = op.get_bind()
    for score_id, halves in connection.execute(sa.select(scores.c.id, scores.c.halves)).all():
        gaps = array("d", [one - other for one, other in halves]).tobytes()
        connection.execute(sa.update(scores).where(scores.c.id == score_id).values(gaps=gaps))


def downgrade() -> None:
    with op.batch_alter_table("scores") as batch_op:
        batch_op.drop_column("gaps")
    with op.batch_alter_table("campaigns") as batch_op:
        batch_op.drop_column("preview")
        batch_op.drop_column("inputs")
    for table in ("campaign_moves", "asked_boards", "standing_rows", "standings"):
        op.drop_table(table)
    for name in ("references", *INDEXES):
        op.drop_index(f"ix_{ENTRIES}_{name}", ENTRIES)
    with op.batch_alter_table("phases") as batch_op:
        batch_op.drop_column("board_moved_at")

"""Teams of several people; whoever submitted has a seat in the team that they submitted with.

Revision: 0040
Revises: 0037
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0040"
down_revision: str | None = "0037"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("state = 'open'")
CAPTAIN = sa.text("role = 'captain'")
# An operator may have submitted with several teams, so only people of one team get a seat.
WHO_SUBMITTED = """
INSERT INTO seats (competition_id, account_id, team_id, role, joined_at)
SELECT phases.competition_id, submissions.account_id, MIN(submissions.team_id{cast}){back}, 'captain',
MIN(submissions.created_at)
FROM submissions
JOIN phases ON phases.id = submissions.phase_id
JOIN accounts ON accounts.id = submissions.account_id
WHERE submissions.reference = 'none' AND accounts.role <> 'operator'
GROUP BY phases.competition_id, submissions.account_id
HAVING COUNT(DISTINCT submissions.team_id) = 1
"""


def upgrade() -> None:
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.add_column(sa.Column("team_size", sa.Integer(), nullable=False, server_default="5"))
        batch_op.add_column(sa.Column("merge_until", MOMENT, nullable=True))
        batch_op.create_check_constraint(op.f("ck_competitions_team_size"), "team_size > 0")
    with op.batch_alter_table("teams") as batch_op:
        batch_op.add_column(sa.Column("competition_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_teams_competition_id"), "competitions", ["competition_id"], ["id"])
        batch_op.create_index("ix_teams_competition", ["competition_id", "name"])
    _seats()
    _ways_in()
    _merges()
    is_postgres = op.get_bind().dialect.name == "postgresql"
    op.execute(WHO_SUBMITTED.format(cast="::text" if is_postgres else "", back="::uuid" if is_postgres else ""))


def _seats() -> None:
    op.create_table(
        "seats",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("left_at", MOMENT, nullable=True),
        sa.CheckConstraint("role IN ('captain', 'member')", name="teamrole"),
        sa.CheckConstraint("left_at IS NULL OR role = 'member'", name="left"),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_seats_competition_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_seats_account_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_seats_team_id")),
        sa.PrimaryKeyConstraint("competition_id", "account_id", name=op.f("pk_seats")),
    )
    op.create_index(op.f("ix_seats_account_id"), "seats", ["account_id"])
    op.create_index("ix_seats_team", "seats", ["team_id", "joined_at"])
    options: dict[str, Any] = {"sqlite_where": CAPTAIN, "postgresql_where": CAPTAIN}
    op.create_index("uq_seats_captain", "seats", ["competition_id", "team_id"], unique=True, **options)
    op.create_index("ix_seats_captains", "seats", ["competition_id", "joined_at", "team_id"], **options)


def _ways_in() -> None:
    op.create_table(
        "team_invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint("used >= 0 AND used <= uses", name="used"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_team_invitations_team_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_team_invitations_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_team_invitations_digest")),
    )
    op.create_index("ix_team_invitations_order", "team_invitations", ["team_id", "created_at", "id"])
    op.create_table(
        "offers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('open', 'accepted', 'declined', 'withdrawn')", name="offerstate"),
        sa.CheckConstraint("(account_id IS NULL) <> (other_id IS NULL)", name="to_one"),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_offers_competition_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_offers_team_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_offers_account_id")),
        sa.ForeignKeyConstraint(["other_id"], ["teams.id"], name=op.f("fk_offers_other_id")),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name=op.f("fk_offers_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    for to in ("account_id", "other_id"):
        name = to.removesuffix("_id")
        options: dict[str, Any] = {"sqlite_where": OPEN, "postgresql_where": OPEN}
        op.create_index(f"uq_offers_{name}", "offers", ["team_id", to], unique=True, **options)
        op.create_index(f"ix_offers_{name}", "offers", [to], **options)


def _merges() -> None:
    op.create_table(
        "merges",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("into_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_merges_competition_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_merges_team_id")),
        sa.ForeignKeyConstraint(["into_id"], ["teams.id"], name=op.f("fk_merges_into_id")),
        sa.PrimaryKeyConstraint("competition_id", "team_id", name=op.f("pk_merges")),
    )
    op.create_index("ix_merges_into", "merges", ["into_id", "competition_id"])
    op.create_table(
        "transfers",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_transfers_submission_id")),
        sa.ForeignKeyConstraint(["from_id"], ["teams.id"], name=op.f("fk_transfers_from_id")),
        sa.PrimaryKeyConstraint("submission_id", "at", name=op.f("pk_transfers")),
    )


def downgrade() -> None:
    for table in ("transfers", "merges", "offers", "team_invitations", "seats"):
        op.drop_table(table)
    with op.batch_alter_table("teams") as batch_op:
        batch_op.drop_index("ix_teams_competition")
        batch_op.drop_constraint(op.f("fk_teams_competition_id"), type_="foreignkey")
        batch_op.drop_column("competition_id")
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.drop_constraint(op.f("ck_competitions_team_size"), type_="check")
        batch_op.drop_column("merge_until")
        batch_op.drop_column("team_size")

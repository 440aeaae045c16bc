"""People register for a competition; whoever submitted before is registered.

Revision: 0033
Revises: 0032
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MODES = "ck_competitions_registrationmode"
USERNAME = sa.String(39).with_variant(sa.String(39, collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)
WHO_SUBMITTED = """
INSERT INTO registrations (competition_id, account_id, username, state, created_at)
SELECT phases.competition_id, accounts.id, accounts.username, 'accepted', MIN(submissions.created_at)
FROM submissions
JOIN phases ON phases.id = submissions.phase_id
JOIN accounts ON accounts.id = submissions.account_id
GROUP BY phases.competition_id, accounts.id, accounts.username
"""


def upgrade() -> None:
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.add_column(sa.Column("registration", sa.String(24), nullable=False, server_default="open"))
        batch_op.create_check_constraint(op.f(MODES), "registration IN ('open', 'approval', 'invitation')")
    op.create_table(
        "registrations",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("username", USERNAME, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=True),
        sa.Column("rules_version", sa.String(64), nullable=True),
        sa.Column("rules_accepted_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'refused')", name="registrationstate"),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_registrations_competition_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_registrations_account_id")),
        sa.PrimaryKeyConstraint("competition_id", "account_id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("competition_id", "username", name=op.f("uq_registrations_competition_id_username")),
    )
    op.create_index(op.f("ix_registrations_account_id"), "registrations", ["account_id"])
    op.create_index("ix_registrations_state", "registrations", ["competition_id", "state", "username"])
    op.execute(WHO_SUBMITTED)


def downgrade() -> None:
    op.drop_table("registrations")
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.drop_constraint(op.f(MODES), type_="check")
        batch_op.drop_column("registration")

"""Teams take turns: each has a line in each phase, and a competition has a weight.

Revision: 0017
Revises: 0016
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

QUEUED = sa.text("queued > 0")
NOBODY = sa.text("team_id IS NULL")


def _table(name: str, ids: Sequence[str], *others: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(one, sa.Uuid()) for one in ids), *(sa.column(one) for one in others))


EVALUATIONS = _table("evaluations", ["id", "phase_id"], "created_at", "device_class")
SUBMISSIONS = _table("submissions", ["evaluation_id", "team_id"], "created_at")
SHARDS = _table("shards", ["evaluation_id", "line_id"], "state", "device_class", "queued_at")
LINES = sa.table(
    "lines",
    *(sa.column(one, sa.Uuid()) for one in ("id", "phase_id", "team_id")),
    *(sa.column(one, sa.Integer()) for one in ("turn", "turns_left", "queued")),
    sa.column("created_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.add_column(sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
        batch_op.create_check_constraint(op.f("ck_competitions_weight"), "weight > 0")
    op.create_table(
        "lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("turns_left", sa.Integer(), nullable=False),
        sa.Column("queued", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name=op.f("fk_lines_phase_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_lines_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
        sa.UniqueConstraint("phase_id", "team_id", name=op.f("uq_lines_phase_id_team_id")),
    )
    op.create_index(op.f("ix_lines_team_id"), "lines", ["team_id"])
    op.create_index(op.f("ix_lines_turn"), "lines", ["turn"])
    op.create_index("uq_lines_nobody", "lines", ["phase_id"], unique=True, sqlite_where=NOBODY, postgresql_where=NOBODY)
    op.create_index(
        "ix_lines_waiting",
        "lines",
        ["phase_id", "turn", "created_at", "id"],
        sqlite_where=QUEUED,
        postgresql_where=QUEUED,
    )
    op.create_index("ix_evaluations_newest", "evaluations", ["phase_id", "state", "finished_at"])
    with op.batch_alter_table("shards") as batch_op:
        batch_op.add_column(sa.Column("line_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("device_class", sa.String(100), nullable=True))
        batch_op.add_column(sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True))
    _fill(op.get_bind())
    with op.batch_alter_table("shards") as batch_op:
        batch_op.alter_column("line_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("queued_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch_op.create_foreign_key(op.f("fk_shards_line_id"), "lines", ["line_id"], ["id"])
        batch_op.drop_index("ix_shards_claim")
        batch_op.create_index(
            "ix_shards_claim", ["line_id", "state", "device_class", "queued_at", "evaluation_id", "seed_start"]
        )
        batch_op.create_index("ix_shards_lease", ["state", "lease_expires_at"])


def _fill(connection: sa.Connection) -> None:
    """Give every evaluation's shards to the team that submitted it first; those of a rescoring belong to nobody."""
    first = sa.select(SUBMISSIONS.c.evaluation_id, SUBMISSIONS.c.team_id).order_by(SUBMISSIONS.c.created_at.desc())
    teams = {row.evaluation_id: row.team_id for row in connection.execute(first)}
    lines: dict[tuple[object, object], object] = {}
    for evaluation_id, phase_id in connection.execute(sa.select(EVALUATIONS.c.id, EVALUATIONS.c.phase_id)).all():
        whose = phase_id, teams.get(evaluation_id)
        if whose not in lines:
            lines[whose] = line_id = uuid4()
            plain = {"turn": 0, "turns_left": 1, "queued": 0, "created_at": datetime.now(UTC)}
            connection.execute(sa.insert(LINES).values(id=line_id, phase_id=phase_id, team_id=whose[1], **plain))
        connection.execute(
            sa.update(SHARDS).where(SHARDS.c.evaluation_id == evaluation_id).values(line_id=lines[whose])
        )
    for target, source in (("queued_at", EVALUATIONS.c.created_at), ("device_class", EVALUATIONS.c.device_class)):
        value = sa.select(source).where(EVALUATIONS.c.id == SHARDS.c.evaluation_id).scalar_subquery()
        connection.execute(sa.update(SHARDS).values({target: value}))
    waiting = sa.select(sa.func.count()).where(SHARDS.c.line_id == LINES.c.id, SHARDS.c.state == "queued")
    connection.execute(sa.update(LINES).values(queued=waiting.scalar_subquery()))


def downgrade() -> None:
    op.drop_index("ix_evaluations_newest", "evaluations")
    with op.batch_alter_table("shards") as batch_op:
        batch_op.drop_index("ix_shards_lease")
        batch_op.drop_index("ix_shards_claim")
        batch_op.create_index("ix_shards_claim", ["state", "available_at"])
        batch_op.drop_constraint(op.f("fk_shards_line_id"), type_="foreignkey")
        for column in ("queued_at", "device_class", "line_id"):
            batch_op.drop_column(column)
    op.drop_table("lines")
    with op.batch_alter_table("competitions") as batch_op:
        batch_op.drop_constraint(op.f("ck_competitions_weight"), type_="check")
        batch_op.drop_column("weight")

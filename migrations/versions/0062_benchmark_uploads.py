"""Benchmarks are uploaded in parts and published by consent; operators trust organisers with that.

Revision: 0062
Revises: 0061
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0062"
down_revision: str | None = "0061"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
UPLOADS = "benchmark_uploads"
STATES = ("uploading", "verifying", "waiting", "publishing", "published", "refused")


def upgrade() -> None:
    op.create_table(
        UPLOADS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("head_sha256", sa.String(64), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("moved_at", MOMENT, nullable=False),
        sa.Column("checked_bytes", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("parts_kept", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=True),
        sa.Column("found", sa.JSON(), nullable=True),
        sa.Column("architecture", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("accept_unfit", sa.String(500), nullable=True),
        sa.Column("benchmark_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_benchmark_uploads_account_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["accounts.id"], name=op.f("fk_benchmark_uploads_decided_by")),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmarks.id"], name=op.f("fk_benchmark_uploads_benchmark_id")),
        sa.CheckConstraint(f"state IN {STATES}", name=op.f("ck_benchmark_uploads_benchmarkuploadstate")),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_benchmark_uploads_size")),
        sa.CheckConstraint(
            "received_bytes >= 0 AND received_bytes <= size_bytes", name=op.f("ck_benchmark_uploads_received")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benchmark_uploads")),
    )
    op.create_index("ix_benchmark_uploads_newest", UPLOADS, ["created_at", "id"])
    op.create_index("ix_benchmark_uploads_own", UPLOADS, ["account_id", "created_at", "id"])
    op.create_index("ix_benchmark_uploads_state", UPLOADS, ["state", "moved_at"])
    kept = sa.text("parts_kept")
    op.create_index("ix_benchmark_uploads_kept", UPLOADS, ["moved_at"], sqlite_where=kept, postgresql_where=kept)
    op.create_table(
        "benchmark_upload_parts",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["benchmark_uploads.id"], name=op.f("fk_benchmark_upload_parts_upload_id")
        ),
        sa.PrimaryKeyConstraint("upload_id", "offset_bytes", name=op.f("pk_benchmark_upload_parts")),
    )
    op.add_column(
        "accounts", sa.Column("publishes_benchmarks", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("accounts", "publishes_benchmarks")
    op.drop_table("benchmark_upload_parts")
    op.drop_table(UPLOADS)

"""Batches and verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "batches",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
    )
    op.create_index("ix_batches_assignment", "batches", ["assignment"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("batch", sa.String(36), sa.ForeignKey("batches.id"), nullable=False),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("submission_sha256", sa.String(64), nullable=False),
        sa.Column("bundle_sha256", sa.String(64), nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(30), nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("max_points", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("verdict_json", sa.Text, nullable=False),
        sa.Column("notebook_zlib", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_verdicts_batch", "verdicts", ["batch"])
    op.create_index("verdicts_of_a_student", "verdicts", ["assignment", "student", "attempt"])

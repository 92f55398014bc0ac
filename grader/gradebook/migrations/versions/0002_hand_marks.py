"""Marks that people give."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table; the version is no longer kept in `grader_schema`."""
    op.create_table(
        "hand_marks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("change", sa.String(36), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("item", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("part", sa.String(200), nullable=False),
        sa.Column("points", sa.Integer),
        sa.Column("max_points", sa.Integer),
        sa.Column("moment", sa.DateTime),
        sa.Column("excused", sa.Boolean, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("answer_sha256", sa.String(64), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hand_marks_change", "hand_marks", ["change"])
    op.create_index("hand_marks_of_an_item", "hand_marks", ["item", "student"])
    if sa.inspect(op.get_bind()).has_table("grader_schema"):
        op.drop_table("grader_schema")

"""When attempts were handed in, as it was learnt."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; a time in a verdict holds until another one is learnt."""
    op.create_table(
        "hand_ins",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("submission_sha256", sa.String(64), nullable=False),
        sa.Column("handed_in", sa.DateTime, nullable=False),
        sa.Column("before", sa.DateTime),
        sa.Column("told_by", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("hand_ins_of_a_student", "hand_ins", ["assignment", "student", "attempt"])

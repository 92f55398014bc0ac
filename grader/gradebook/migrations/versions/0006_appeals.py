"""The desk: how far marks are published; appeals, and what people are told."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add column and tables; what was published stays so, up to the last line that there is."""
    with op.batch_alter_table("desk_publications") as table:
        table.add_column(sa.Column("upto", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE desk_publications SET upto = (SELECT COALESCE(MAX(id), 0) FROM hand_marks) "
        "WHERE published"
    )
    op.create_table(
        "desk_appeals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("question", sa.String(200), nullable=False),
        sa.Column("student", sa.String(200), nullable=False),
        sa.Column("marker", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    question = ["assignment", "question", "student"]
    op.create_index("desk_appeals_of_a_question", "desk_appeals", question, unique=True)
    op.create_index("desk_appeals_by_state", "desk_appeals", ["state", "id"])
    op.create_table(
        "desk_appeal_messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("appeal", sa.Integer, sa.ForeignKey("desk_appeals.id"), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("speaks", sa.String(20), nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_desk_appeal_messages_appeal", "desk_appeal_messages", ["appeal"])
    op.create_index("desk_appeal_messages_by_time", "desk_appeal_messages", ["who", "made_at"])
    op.create_table(
        "desk_appeal_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message", sa.Integer, sa.ForeignKey("desk_appeal_messages.id"), nullable=False),
        sa.Column("mark", sa.Integer, sa.ForeignKey("hand_marks.id"), nullable=False),
        sa.Column("was", sa.Integer, nullable=False),
        sa.Column("becomes", sa.Integer, nullable=False),
    )
    op.create_index("ix_desk_appeal_changes_message", "desk_appeal_changes", ["message"])
    op.create_table(
        "desk_notices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("path", sa.String(500), nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("seen_at", sa.DateTime),
        sqlite_autoincrement=True,
    )
    op.create_index("desk_notices_of_a_person", "desk_notices", ["person", "seen_at"])

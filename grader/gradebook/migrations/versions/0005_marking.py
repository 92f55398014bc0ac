"""Marking at the desk: answers, rubrics with caps, who marks what, second looks."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0007"


def upgrade() -> None:
    """Add the tables, and the cap of an item; what is there stays as it is."""
    op.add_column("desk_rubric_items", sa.Column("cap", sa.Integer))
    op.create_index("hand_marks_of_a_part", "hand_marks", ["item", "part", "student"])
    _answers()
    op.create_table(
        "desk_rubrics",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("question", sa.String(200), nullable=False),
        sa.Column("begins_with_all", sa.Boolean, nullable=False),
    )
    op.create_index(
        "desk_rubrics_of_a_question", "desk_rubrics", ["assignment", "question"], unique=True
    )
    op.create_table(
        "desk_splits",
        sa.Column("assignment", sa.String(200), primary_key=True),
        sa.Column("how", sa.String(10), nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("limits", sa.JSON, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
    )
    _second_looks()


def _answers() -> None:
    op.create_table(
        "desk_answers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("question", sa.String(200), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column("entry", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("is_empty", sa.Boolean, nullable=False),
        sa.Column("worth", sa.Integer, nullable=False),
        sa.Column("machine", sa.Integer, nullable=False),
        sa.Column("machine_max", sa.Integer, nullable=False),
        sa.Column("submission_sha256", sa.String(64), nullable=False),
        sa.Column("share", sa.Text, nullable=False),
    )
    op.create_index(
        "desk_answers_of_a_student",
        "desk_answers",
        ["assignment", "question", "student"],
        unique=True,
    )
    op.create_index("desk_answers_by_ref", "desk_answers", ["assignment", "question", "ref"])
    op.create_table(
        "desk_answers_read",
        sa.Column("assignment", sa.String(200), primary_key=True),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("verdicts", sa.Integer, nullable=False),
        sa.Column("counts", sa.String(10), nullable=False),
    )


def _second_looks() -> None:
    op.create_table(
        "desk_second_looks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("question", sa.String(200), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("answer_sha256", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", sa.DateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("first_who", sa.Text, nullable=False),
        sa.Column("first_points", sa.Integer, nullable=False),
        sa.Column("first_items", sa.JSON),
        sa.Column("points", sa.Integer),
        sa.Column("items", sa.JSON, nullable=False),
        sa.Column("adjustment", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_at", sa.DateTime),
    )
    op.create_index(
        "desk_second_looks_of_an_answer",
        "desk_second_looks",
        ["assignment", "question", "student", "answer_sha256"],
        unique=True,
    )

"""What marks are made of, in narrow rows beside the verdicts: lists of a class read these alone."""

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0009"

_AT_ONCE = 200
_LEFT_OUT = (
    *("tests", "breaches", "notes", "collaborators", "missing_modules"),
    *("usage", "provenance"),
)
_MARKS = ("graded", "invalid_submission")


def upgrade() -> None:
    """Add the table, and fill it from the verdicts that are there."""
    briefs = op.create_table(
        "verdict_briefs",
        sa.Column(
            "verdict",
            sa.Integer,
            sa.ForeignKey("verdicts.id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("assignment", sa.String(200), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("is_mark", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index(
        "verdict_briefs_of_a_student", "verdict_briefs", ["assignment", "student", "attempt"]
    )
    _fill(op.get_bind(), briefs)


def _fill(connection: sa.Connection, briefs: sa.Table) -> None:
    names = ("id", "assignment", "student", "attempt", "outcome", "verdict_json")
    verdicts = sa.table("verdicts", *(sa.column(name) for name in names))
    query = sa.select(verdicts).order_by(verdicts.c.id).limit(_AT_ONCE)
    last = 0
    while rows := connection.execute(query.where(verdicts.c.id > last)).all():
        last = rows[-1].id
        connection.execute(
            briefs.insert(),
            [
                {
                    "verdict": row.id,
                    "assignment": row.assignment,
                    "student": row.student,
                    "attempt": row.attempt,
                    "is_mark": row.outcome in _MARKS,
                    "body": _brief(row.verdict_json),
                }
                for row in rows
            ],
        )


def _brief(text: str) -> str:
    """A verdict without what marks are not made of; what stays is not read, and so not changed."""
    fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    kept = {name: value for name, value in fields.items() if name not in _LEFT_OUT}
    return msgspec.json.encode(kept).decode()

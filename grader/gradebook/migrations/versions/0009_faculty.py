"""Several processes at one desk: which engines are at work, and limits that all of them share."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "desk_engines",
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.Column("sandbox", sa.Text, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
    )
    op.create_table(
        "desk_rates",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
    )

"""Signing in: logins of a university, where a session holds, each course's own names, mail."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0004"


def upgrade() -> None:
    """Add the tables and columns; names and e-mails go from accounts to each course's roles."""
    for name in ("name", "email"):
        op.add_column("desk_roles", sa.Column(name, sa.Text, nullable=False, server_default=""))
        op.execute(
            f"UPDATE desk_roles SET {name} = (SELECT {name} FROM desk_accounts"  # noqa: S608
            " WHERE desk_accounts.id = desk_roles.account)"
        )
        op.drop_column("desk_accounts", name)
    op.add_column("desk_secrets", sa.Column("courses", sa.JSON))
    _end_links_of_several_courses()
    op.create_table(
        "desk_identities",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("course", sa.String(200), nullable=False),
        sa.Column("account", sa.Integer, sa.ForeignKey("desk_accounts.id"), nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
    )
    op.create_index(
        "desk_identities_of_a_login",
        "desk_identities",
        ["issuer", "subject", "course"],
        unique=True,
    )
    op.create_index(
        "desk_identities_of_an_account",
        "desk_identities",
        ["issuer", "course", "account"],
        unique=True,
    )
    _mails()


def _end_links_of_several_courses() -> None:
    """End what was made when a link of one course opened the others too."""
    op.execute(
        "UPDATE desk_secrets SET ended_at = made_at WHERE ended_at IS NULL"
        " AND (SELECT COUNT(DISTINCT course) FROM desk_roles) > 1"
    )


def _mails() -> None:
    op.create_table(
        "desk_mails",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("next_at", sa.DateTime, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("starts", sa.Integer, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sqlite_autoincrement=True,
    )
    op.create_index("desk_mails_due", "desk_mails", ["state", "next_at"])
    op.create_index("ix_desk_mails_ended_at", "desk_mails", ["ended_at"])

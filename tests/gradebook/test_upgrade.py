"""A filled course of every older version is upgraded, and every value that was in it still is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    select,
)
from sqlalchemy.engine import Row

from grader.gradebook.database import connect, writing
from grader.gradebook.schema import HEAD, VERSION_TABLE, upgrade
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import Table
from grader.grading.verdict import verdict_to_json
from tests.gradebook.steps import steps
from tests.helpers.verdicts import graded

AT = dt.datetime(2026, 5, 4, 12)
ROWS = 3
STUDENTS = [f"s{number}" for number in range(1, ROWS + 1)]
MEANT: dict[tuple[str, str], Any] = {
    ("desk_roles", "role"): "student",
    ("desk_secrets", "kind"): "session",
    ("desk_tries", "state"): "waiting",
    ("hand_marks", "kind"): "points",
    ("hand_marks", "part"): "",
    ("verdicts", "outcome"): "graded",
}
"""What a column holds that no row of another kind could."""
MOVED = {
    ("desk_accounts", "name"): "desk_roles",
    ("desk_accounts", "email"): "desk_roles",
}
"""Where a column is now, in the row of the same key."""


def _older() -> list[str]:
    found = ScriptDirectory.from_config(steps()).walk_revisions()
    return sorted(step.revision for step in found if step.revision != HEAD)


def _value(table: str, column: Column[Any], number: int) -> Any:
    if (table, column.name) in MEANT:
        return MEANT[table, column.name]
    if table == "verdicts" and column.name == "verdict_json":
        return verdict_to_json(graded(f"s{number}", assignment="hw1"), indent=0).decode()
    if column.name in ("assignment", "item"):
        return f"hw{number}" if column.primary_key else "hw1"
    if column.name in ("student", "person"):
        return f"s{number}"
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return f"id-{number}" if not isinstance(key.column.type, Integer) else number
    if column.name == "id" and not isinstance(column.type, Integer):
        return f"id-{number}"
    kind = column.type
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, DateTime):
        return AT + dt.timedelta(minutes=number)
    if isinstance(kind, JSON):
        return []
    if isinstance(kind, LargeBinary):
        return b"%d" % number
    return f"{column.name} {number}"


def fill(engine: Engine, version: str) -> None:
    """Make the tables of a version, and put rows into every one of them."""
    with writing(engine) as session:
        command.upgrade(steps(session.connection()), version)
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name == VERSION_TABLE:
                continue
            for number in range(1, ROWS + 1):
                row = {c.name: _value(table.name, c, number) for c in table.columns}
                connection.execute(table.insert(), row)


def everything(engine: Engine) -> dict[str, dict[Any, Row[Any]]]:
    """All rows of all tables, by their key."""
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: {
                tuple(getattr(row, c.name) for c in table.primary_key): row
                for row in connection.execute(select(table))
            }
            for table in tables.sorted_tables
            if table.name != VERSION_TABLE
        }


@pytest.mark.parametrize("version", _older())
def test_a_filled_course_of_every_version_keeps_every_value(url: str, version: str) -> None:
    engine = connect(url)
    fill(engine, version)
    before = everything(engine)
    assert all(len(rows) == ROWS for rows in before.values()) and "verdicts" in before
    assert upgrade(url) == (version, HEAD)
    after = everything(engine)
    for name, rows in before.items():
        assert set(rows) <= set(after[name]), name
        for key, row in rows.items():
            kept = {}
            for column in row._mapping:
                here = after[name][key]._mapping
                there = here if column in here else after[MOVED[name, column]][key]._mapping
                kept[column] = there[column]
            assert kept == dict(row._mapping), (name, key)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()
    with Gradebook(url) as book:
        assert [v.student for v in book.current("hw1")] == STUDENTS
        assert {t.student for t in book.tries.of("s1")} <= {"s1"}
        book.start_batch("hw1", seed=1)

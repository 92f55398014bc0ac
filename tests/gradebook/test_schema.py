"""Tables that are made, upgraded or refused, with every mark intact."""

from __future__ import annotations

import importlib
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, inspect, text
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.briefs import brief
from grader.gradebook.database import connect
from grader.gradebook.publications import Publications
from grader.gradebook.schema import HEAD, VERSION_TABLE, open_engine, upgrade
from grader.gradebook.store import Gradebook, _row
from grader.gradebook.tables import Table
from tests.gradebook.first_schema import FIRST_POSTGRESQL, FIRST_SQLITE
from tests.gradebook.steps import steps
from tests.helpers.verdicts import graded

ASSIGNMENT = "mlp-backprop"
VERDICT = graded("Ada", points=Decimal("31.33"), seed=3)


def make_first_version(url: str) -> Engine:
    """A gradebook as the first version left it, with a mark of Ada's."""
    engine = connect(url)
    script = FIRST_SQLITE if engine.dialect.name == "sqlite" else FIRST_POSTGRESQL
    with engine.begin() as connection:
        for statement in script.split(";"):
            connection.exec_driver_sql(statement)
    # The first version wrote its rows through the very same columns.
    book = Gradebook.__new__(Gradebook)
    book._engine = engine
    batch = book.start_batch(ASSIGNMENT, seed=7, settings={"slots": 2})
    with Session(engine) as session:
        session.add(_row(VERDICT, b'{"cells": []}', batch))
        session.commit()
    return engine


def marks(url: str) -> list[tuple[str, Decimal]]:
    with Gradebook(url) as book:
        return [(v.student, v.points) for v in book.current(ASSIGNMENT)]


def tables_in(engine: Engine) -> dict[str, list[str]]:
    """All that a database says of its tables, in an order of its own for each."""
    found = inspect(engine)

    def said_of(table: str) -> list[str]:
        parts = [
            *found.get_columns(table),
            found.get_pk_constraint(table),
            *found.get_foreign_keys(table),
            *found.get_unique_constraints(table),
            *found.get_check_constraints(table),
            *found.get_indexes(table),
        ]
        return sorted(repr(sorted(part.items(), key=str)) for part in parts)

    return {table: said_of(table) for table in found.get_table_names()}


def test_the_steps_lead_to_the_tables_that_a_new_gradebook_has(url: str) -> None:
    engine = open_engine(url)
    new = tables_in(engine)
    there = MetaData()
    there.reflect(engine)
    there.drop_all(engine)
    with engine.begin() as connection:
        command.upgrade(steps(connection), "head")
        assert connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == HEAD
    assert tables_in(engine) == new
    engine.dispose()


def test_the_tables_are_those_that_the_code_knows(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


def test_the_newest_step_is_the_version_that_is_asked_for() -> None:
    assert ScriptDirectory.from_config(steps()).get_current_head() == HEAD


def test_a_file_of_the_first_version_is_upgraded_with_its_marks(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gradebook.db"
    make_first_version(url).dispose()
    assert marks(url) == [("Ada", Decimal("31.33"))]
    with Gradebook(url) as book:
        assert book.executed_notebook(VERDICT) == b'{"cells": []}'
        assert book.batches(ASSIGNMENT)[0].settings == {"slots": 2}
        assert book.hand_marks.newest() == {}


def test_what_marks_are_made_of_is_taken_out_of_the_verdicts_that_are_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gradebook.db"
    make_first_version(url).dispose()
    with Gradebook(url) as book:
        assert list(book.briefs(ASSIGNMENT).values()) == [brief(VERDICT)]
        assert brief(VERDICT).answers and brief(VERDICT).questions and not brief(VERDICT).tests


def test_a_copy_of_the_file_stays_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gradebook.db"
    make_first_version(url).dispose()
    marks(url)
    with sqlite3.connect(tmp_path / f"gradebook.db.before-{HEAD}") as copy:
        assert copy.execute("SELECT version FROM grader_schema").fetchall() == [(1,)]
        assert copy.execute("SELECT student, points FROM verdicts").fetchall() == [("Ada", 3133)]


def test_a_server_of_the_first_version_waits_for_the_command(postgres_url: str) -> None:
    make_first_version(postgres_url).dispose()
    with pytest.raises(GradebookError, match="version 0001") as caught:
        Gradebook(postgres_url)
    assert "grader gradebook upgrade" in str(caught.value)
    assert upgrade(postgres_url) == ("0001", HEAD)
    assert marks(postgres_url) == [("Ada", Decimal("31.33"))]
    assert upgrade(postgres_url) == (HEAD, HEAD)


def test_an_upgrade_that_fails_leaves_the_gradebook_as_it_was(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_first_version(url).dispose()
    monkeypatch.setattr("alembic.op.drop_table", None)
    with pytest.raises(TypeError):
        upgrade(url)
    monkeypatch.undo()
    engine = connect(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version FROM grader_schema").scalar() == 1
    engine.dispose()
    assert upgrade(url) == ("0001", HEAD)
    assert marks(url) == [("Ada", Decimal("31.33"))]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:s3cret@127.0.0.1:1/marks",
        "postgresql://user@127.0.0.1:1/marks?password=s3cret",
        "nosuchdb://user:s3cret@host/x?password=s3cret",
        "postgresql://user:s3cret@host:port/x",
        "postgresql:user:s3cret@host",
    ],
)
def test_no_password_is_in_what_is_said(address: str) -> None:
    with pytest.raises(GradebookError) as caught:
        Gradebook(address)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(caught.value.__cause__)


def test_marks_that_were_published_stay_published_up_to_the_last_line(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gradebook.db"
    step = importlib.import_module("grader.gradebook.migrations.versions.0006_appeals")
    engine = connect(url)
    with engine.begin() as connection:
        command.upgrade(steps(connection), step.down_revision)
        connection.exec_driver_sql(
            "INSERT INTO hand_marks (id, change, student, item, kind, part, excused, comment, "
            "answer_sha256, who, why, source, made_at) VALUES (41, 'x', 'ada', 'exam', 'points', "
            "'', 0, '', '', 'ines', '', 'hand', '2026-01-01 00:00:00')"
        )
        for out in (1, 0):
            connection.exec_driver_sql(
                "INSERT INTO desk_publications (assignment, published, who, made_at) "
                f"VALUES ('{ASSIGNMENT}', {out}, 'ines', '2026-01-01 00:00:00')"
            )
    engine.dispose()
    with Gradebook(url) as book:
        history = Publications(book.engine).history(ASSIGNMENT)
        assert [(one.published, one.upto) for one in history] == [(True, 41), (False, 0)]


FILLED = """\
INSERT INTO desk_accounts (id, person, name, email, disabled, made_at)
  VALUES (1, 'ada', 'Ada', 'ada@example.edu', false, '2026-01-01 00:00:00');
INSERT INTO desk_roles (id, account, course, role, section) VALUES (1, 1, 'one', 'student', 'A');
INSERT INTO desk_secrets (id, kind, sha256, account, label, made_at, expires_at)
  VALUES (1, 'link', 'x', 1, '', '2026-01-01 00:00:00', '2027-01-01 00:00:00');
"""
SECOND = (
    "INSERT INTO desk_roles (id, account, course, role, section) VALUES (2, 1, 'two', 'marker', '')"
)


@pytest.mark.parametrize("courses", [1, 2])
def test_a_filled_desk_keeps_its_people_and_no_link_that_opened_several_courses(
    url: str, courses: int
) -> None:
    engine = connect(url)
    with engine.begin() as connection:
        command.upgrade(steps(connection), "0004")
        for statement in [*FILLED.split(";")[:-1], *([SECOND] if courses == 2 else [])]:
            connection.exec_driver_sql(statement)
    engine.dispose()
    assert upgrade(url) == ("0004", HEAD)
    engine = open_engine(url)
    with engine.connect() as connection:
        roles = connection.exec_driver_sql("SELECT course, name, email FROM desk_roles ORDER BY id")
        names = [tuple(row) for row in roles]
        ended = connection.exec_driver_sql("SELECT ended_at IS NOT NULL FROM desk_secrets").scalar()
    engine.dispose()
    assert names == [(c, "Ada", "ada@example.edu") for c in ("one", "two")[:courses]]
    assert bool(ended) == (courses == 2)

"""What happens when the gradebook can't be used: a sentence, and nothing half-written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from grader.errors import GradebookError
from grader.gradebook.database import explained
from grader.gradebook.store import Gradebook
from tests.helpers import postgres
from tests.helpers.quick_commits import usual_commits
from tests.helpers.verdicts import graded

ASSIGNMENT = "mlp-backprop"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.db"


def open_book(path: Path, options: str = "", **more: float) -> Gradebook:
    return Gradebook(f"sqlite:///{path}{options}", **more)


def test_a_locked_gradebook_is_named_and_usable_afterwards(path: Path) -> None:
    book = open_book(path, busy_timeout_s=0.1)
    batch = book.start_batch(ASSIGNMENT, seed=1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(GradebookError, match="locked by another program") as caught:
        book.record(graded("Ada"), None, batch=batch)
    assert caught.value.where == str(path) and caught.value.hint
    other.execute("ROLLBACK")
    book.record(graded("Ada"), None, batch=batch)
    assert len(book.current(ASSIGNMENT)) == 1


def test_a_locked_table_on_a_server_is_named_and_usable_afterwards(postgres_url: str) -> None:
    import psycopg

    with (
        Gradebook(postgres_url, busy_timeout_s=0.1) as book,
        psycopg.connect(postgres_url) as other,
    ):
        batch = book.start_batch(ASSIGNMENT, seed=1)
        other.execute("LOCK TABLE verdicts IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(GradebookError, match="locked by another program"):
            book.record(graded("Ada"), None, batch=batch)
        other.rollback()
        book.record(graded("Ada"), None, batch=batch)
        assert len(book.current(ASSIGNMENT)) == 1


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name_is_refused(
    postgres_server: str, encoding: str
) -> None:
    with postgres.database(postgres_server, encoding=encoding) as url:
        with pytest.raises(GradebookError, match=f"stores text as {encoding}") as caught:
            Gradebook(url)
        assert "ENCODING 'UTF8'" in (caught.value.hint or "")


def test_names_arrive_whatever_the_client_is_set_to(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    with Gradebook(postgres_url) as book:
        book.record(graded("Şule Łątka"), None, batch=book.start_batch(ASSIGNMENT, seed=1))
        assert [v.student for v in book.current(ASSIGNMENT)] == ["Şule Łątka"]


def test_a_server_that_writes_nothing_is_said_to_be_read_only(postgres_url: str) -> None:
    import psycopg

    with Gradebook(postgres_url) as book:
        batch = book.start_batch(ASSIGNMENT, seed=1)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with Gradebook(postgres_url) as book, pytest.raises(GradebookError, match="read-only"):
        book.record(graded("Ada"), None, batch=batch)


@pytest.mark.parametrize("host", ["/nowhere", "127.0.0.1&port=1"])
def test_a_server_that_does_not_answer_is_named_without_the_password(host: str) -> None:
    with pytest.raises(GradebookError, match="the database server can't be used") as caught:
        Gradebook(f"postgresql://grader:s3cret@/marks?host={host}")
    assert "PGPASSFILE" in str(caught.value.hint)
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_a_user_whom_the_server_does_not_know_is_told_what_it_says(postgres_url: str) -> None:
    stranger = postgres_url.replace("grader@", "stranger@")
    with pytest.raises(GradebookError, match=r"can't be used: .*stranger"):
        Gradebook(stranger)


def test_the_words_of_an_error_decide_nothing(path: Path) -> None:
    with open_book(path) as book:
        error = sqlite3.OperationalError("no such table: database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_ERROR
        with (
            pytest.raises(GradebookError, match="the gradebook's database reports: no such table"),
            explained(book._engine),
        ):
            raise OperationalError("SELECT 1", None, error)


def test_a_gradebook_opens_while_another_program_writes(path: Path) -> None:
    open_book(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert open_book(path, busy_timeout_s=0.1).current(ASSIGNMENT) == []
    other.close()


def test_a_read_only_gradebook_can_be_read_and_says_that_it_cannot_be_written(path: Path) -> None:
    with open_book(path) as book:
        batch = book.start_batch(ASSIGNMENT, seed=1)
        book.record(graded("Ada"), None, batch=batch)
    read_only = Gradebook(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert [v.student for v in read_only.current(ASSIGNMENT)] == ["Ada"]
    with pytest.raises(GradebookError, match="read-only"):
        read_only.record(graded("Emmy"), None, batch=batch)


def test_a_full_disk_loses_nothing_that_was_recorded(path: Path) -> None:
    book = open_book(path)
    batch = book.start_batch(ASSIGNMENT, seed=1)
    book.record(graded("Ada"), None, batch=batch)
    with book._engine.connect() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {used}")
    noise = bytes(i * i % 251 for i in range(200_000))
    with pytest.raises(GradebookError, match="disk is full"):
        book.record(graded("Emmy"), noise, batch=batch)
    assert [v.student for v in open_book(path).current(ASSIGNMENT)] == ["Ada"]


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"student,points\nAda,10\n" * 100)
    before = path.read_bytes()
    with pytest.raises(GradebookError, match="not a gradebook"):
        open_book(path)
    assert path.read_bytes() == before


def test_another_programs_tables_are_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE verdicts (id INTEGER)")
    with pytest.raises(GradebookError, match="other tables"):
        open_book(path)


def test_a_gradebook_of_a_newer_grader_is_refused(path: Path) -> None:
    open_book(path).close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE grader_schema_version SET version_num = '9999'")
    with pytest.raises(GradebookError, match="version 9999") as caught:
        open_book(path)
    assert "upgrade" in str(caught.value.hint)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(GradebookError, match="cannot be opened"):
        open_book(tmp_path / "nowhere" / "gradebook.db")


@pytest.mark.parametrize("url", ["gradebook.db", "nosuchdb://host/x"])
def test_an_address_that_means_nothing_is_refused(url: str) -> None:
    with pytest.raises(GradebookError, match="address"):
        Gradebook(url)


def test_a_password_is_never_in_the_message() -> None:
    with pytest.raises(GradebookError) as caught:
        Gradebook("nosuchdb://user:s3cret@host/x")
    assert "s3cret" not in str(caught.value)


def test_a_verdict_that_was_damaged_is_named_and_no_mark(path: Path) -> None:
    with open_book(path) as book:
        batch = book.start_batch(ASSIGNMENT, seed=1)
        book.record(graded("Ada"), None, batch=batch)
    for damage in ('{"points": "many"}', '{"a":' * 5000, "not JSON"):
        with sqlite3.connect(path) as other:
            other.execute("UPDATE verdicts SET verdict_json = ?", (damage,))
        with (
            open_book(path) as book,
            pytest.raises(GradebookError, match="a stored verdict can't be read") as caught,
        ):
            book.current(ASSIGNMENT)
        assert caught.value.hint


def test_a_verdict_that_was_recorded_is_on_the_disk(tmp_path: Path) -> None:
    full = 2  # https://sqlite.org/pragma.html#pragma_synchronous
    with usual_commits(), open_book(tmp_path / "gradebook.db").engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == full

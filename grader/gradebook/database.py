"""Opening the database that holds a gradebook, and turning its failures into ours."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.tables import SCHEMA_VERSION, SchemaRow, Table

BUSY_TIMEOUT_S = 30.0
_WRITES = "grader_writes"

_KNOWN_FAULTS = (
    (
        ("database is locked", "database table is locked"),
        "the gradebook is locked by another program",
        "Wait until the other program is done, or close it, then run the command again. "
        "Every verdict recorded so far is kept.",
    ),
    (
        ("readonly database", "read-only"),
        "the gradebook cannot be written: it is read-only",
        "Make the file and its folder writable, or name another with --gradebook.",
    ),
    (
        ("disk is full", "no space left"),
        "the disk is full; the verdict was not recorded",
        "Free some space and run the command again: it goes on where it stopped.",
    ),
    (
        ("not a database", "malformed", "file is encrypted"),
        "this file is not a gradebook, or it is damaged",
        "Name another file, or restore this one from a copy. It was left as it is.",
    ),
    (
        ("unable to open database file",),
        "the gradebook cannot be opened",
        "Check that its folder exists and that you may write there.",
    ),
)


def open_engine(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Connect to the database and make its tables where there are none.

    Raises:
        GradebookError: it can't be opened, is no gradebook, or is of a newer version.
    """
    try:
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise GradebookError(
            f"the gradebook's address cannot be used: {error}",
            where=_public_name(url),
            hint="Write it like sqlite:///gradebook.db, or install the driver that it names.",
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, busy_timeout_s)
    _make_tables_where_missing(engine)
    return engine


def _prepare_sqlite(engine: Engine, busy_timeout_s: float) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # We send BEGIN ourselves: sqlite3's own handling would take the write lock too late, and
        # a transaction that reads before it writes would then fail beside another writer.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")
        connection.execute("PRAGMA foreign_keys = ON")
        _set_wal(connection, busy_timeout_s)
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_wal(connection: Any, patience_s: float) -> None:
    """Switch a new file to WAL; SQLite does not wait for a lock here, whatever the timeout says."""
    until = time.monotonic() + patience_s
    while connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _make_tables_where_missing(engine: Engine) -> None:
    # Looked at without the write lock first: to open a gradebook must not wait for a writer.
    with reading(engine) as session:
        ready = _has_our_tables(session.connection())
    if ready:
        return
    with writing(engine) as session:
        connection = session.connection()
        if not _has_our_tables(connection):
            Table.metadata.create_all(connection)
            session.add(SchemaRow(version=SCHEMA_VERSION))


def _has_our_tables(connection: Connection) -> bool:
    where = _engine_name(connection.engine)
    tables = set(inspect(connection).get_table_names())
    if SchemaRow.__tablename__ not in tables:
        if tables & set(Table.metadata.tables):
            raise GradebookError(
                "this database holds other tables of the same names",
                where=where,
                hint="Name another file or database for the gradebook.",
            )
        return False
    version = connection.scalar(select(SchemaRow.version))
    if version != SCHEMA_VERSION:
        raise GradebookError(
            f"the gradebook is of version {version}; this grader knows version {SCHEMA_VERSION}",
            where=where,
            hint="Another grader wrote it: install that one (pip install --upgrade grader), "
            "or name another gradebook. It was left as it is.",
        )
    return True


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database and changes nothing."""
    with explained(engine), Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session whose changes are committed together at its end, or not at all."""
    with explained(engine), Session(engine) as session:
        session.connection(execution_options={_WRITES: True})
        yield session
        session.commit()


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what the database says into what happened, where, and what to do next."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _explain(error, _engine_name(engine)) from error


def _explain(error: SQLAlchemyError, where: str) -> GradebookError:
    original = error.orig if isinstance(error, DBAPIError) else error
    said = str(original).splitlines()[0] if str(original) else type(original).__name__
    for signs, what, hint in _KNOWN_FAULTS:
        if any(sign in said.lower() for sign in signs):
            return GradebookError(what, where=where, hint=hint)
    return GradebookError(
        f"the gradebook's database reports: {said}",
        where=where,
        hint="Nothing of this step was recorded. Check the database, then run the command again.",
    )


def _engine_name(engine: Engine) -> str:
    if engine.dialect.name == "sqlite" and engine.url.database:
        return engine.url.database
    return engine.url.render_as_string(hide_password=True)


def _public_name(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if rest else url

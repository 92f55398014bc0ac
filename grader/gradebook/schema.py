"""Which tables a gradebook has: made where there are none, upgraded where they are older."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    inspect,
    text,
)
from sqlalchemy import Table as SqlTable

from grader.errors import GradebookError
from grader.gradebook.database import BUSY_TIMEOUT_S, connect, engine_name, reading, writing
from grader.gradebook.tables import Table

HEAD = "0006"
_UPGRADED = ("0001", "0002", "0003", "0004", "0005", "0007", "0008", "0009")
VERSION_TABLE = "grader_schema_version"
# As Alembic makes it.
_VERSIONS = SqlTable(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)
# What gradebooks had before their tables were upgraded step by step; its only version was 1.
_FIRST_TABLE = "grader_schema"
_FIRST = "0001"
_ADVISORY_LOCK = 0x67726164


def open_engine(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Connect to a gradebook, make its tables where there are none, upgrade an older file.

    A file is upgraded at once, after a copy was put beside it. A database server is used by other
    machines too, which may still have an older grader: there a person says when.

    Raises:
        GradebookError: it can't be opened, is no gradebook, or its version can't be used.
    """
    engine = connect(url, busy_timeout_s=busy_timeout_s)
    # Looked at without the write lock first: to open a gradebook must not wait for a writer.
    with reading(engine) as session:
        version = _version(session.connection())
    if version == HEAD:
        return engine
    if version and engine.dialect.name != "sqlite":
        raise GradebookError(
            f"the gradebook's tables have version {version}; this grader needs {HEAD}",
            where=engine_name(engine),
            hint="Upgrade them with `grader gradebook upgrade`, when no other machine is grading. "
            "Graders that are older than this one can't use it then.",
        )
    _upgrade(engine)
    return engine


def upgrade(url: str) -> tuple[str, str]:
    """Bring a gradebook's tables to this grader's version; return the versions before and after.

    Everything is done in one transaction, or nothing. The version before is empty where the
    database had no gradebook yet.

    Raises:
        GradebookError: it can't be opened, is no gradebook, or is newer.
    """
    engine = connect(url)
    try:
        with reading(engine) as session:
            before = _version(session.connection())
        if before != HEAD:
            _upgrade(engine)
        return before, HEAD
    finally:
        engine.dispose()


def _upgrade(engine: Engine) -> None:
    with writing(engine) as session:
        connection = session.connection()
        if engine.dialect.name == "postgresql":
            # Of two programs that open a new database, one makes the tables and the other waits.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        version = _version(connection)
        if version == HEAD:
            return
        if not version:
            _make_tables(connection)
            return
        if engine.dialect.name == "sqlite":
            _copy_beside(engine, version)
        _run_migrations(connection, version)


def _make_tables(connection: Connection) -> None:
    """Make the tables as the code knows them: the steps lead there too, and take longer."""
    _our_tables()
    Table.metadata.create_all(connection, checkfirst=False)
    _VERSIONS.create(connection)
    connection.execute(_VERSIONS.insert().values(version_num=HEAD))


def _run_migrations(connection: Connection, version: str) -> None:
    # Loaded only here: a gradebook is opened far more often than it is upgraded.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if not inspect(connection).has_table(VERSION_TABLE):
        command.stamp(config, version)
    command.upgrade(config, "head")


def _version(connection: Connection) -> str:
    """The version of the tables, empty where there are none of ours."""
    where = engine_name(connection.engine)
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        version = str(connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608
    elif _FIRST_TABLE in tables:
        found = connection.scalar(text(f"SELECT version FROM {_FIRST_TABLE}"))  # noqa: S608
        version = _FIRST if found == 1 else str(found)
    elif tables & _our_tables():
        raise GradebookError(
            "this database holds other tables of the same names",
            where=where,
            hint="Name another file or database for the gradebook.",
        )
    else:
        return ""
    if version not in (*_UPGRADED, HEAD):
        raise GradebookError(
            f"the gradebook has version {version}; this grader knows version {HEAD}",
            where=where,
            hint="Another version of grader wrote it: upgrade this one, "
            "or name another gradebook. It was left as it is.",
        )
    return version


def _our_tables() -> set[str]:
    # The desk's are declared only here and where they are used: that takes a while.
    from grader.gradebook import desk_tables, marking_tables  # noqa: F401

    return set(Table.metadata.tables)


def _copy_beside(engine: Engine, version: str) -> None:
    """Keep the file as it was, as `gradebook.db.before-VERSION`; an earlier copy is not touched."""
    source = Path(engine.url.database or "")
    target = source.with_name(f"{source.name}.before-{HEAD}")
    if not source.is_file() or target.exists():
        return
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(partial)) as copy:
            old.backup(copy)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise GradebookError(
            f"the gradebook of version {version} was not upgraded: no copy can be made: {error}",
            where=target,
            hint="Make the folder writable and some space free, then run the command again.",
        ) from error

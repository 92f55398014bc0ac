"""Opening the database that holds a gradebook, and turning its failures into ours."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.installation import install_extra

BUSY_TIMEOUT_S = 30.0
_WRITES = "grader_writes"
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

_BUSY = (
    "the gradebook is locked by another program",
    "Wait until the other program is done, or close it, then run the command again. "
    "Every verdict recorded so far is kept.",
)
_READ_ONLY = (
    "the gradebook cannot be written: it is read-only",
    "Make the file and its folder writable, or name another with --gradebook.",
)
_FULL = (
    "the disk is full; the verdict was not recorded",
    "Free some space and run the command again: it goes on where it stopped.",
)
_NO_GRADEBOOK = (
    "this file is not a gradebook, or it is damaged",
    "Name another file, or restore this one from a copy. It was left as it is.",
)
_NOT_OPENED = (
    "the gradebook cannot be opened",
    "Check that its folder exists and that you may write there.",
)
_CHECK_SERVER = (
    "Check that the server runs, and the host, port and user in the gradebook's address. "
    "The password may stand in PGPASSFILE."
)

# https://sqlite.org/rescode.html: the low byte is the primary result code.
_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CORRUPT: _NO_GRADEBOOK,
    sqlite3.SQLITE_NOTADB: _NO_GRADEBOOK,
    sqlite3.SQLITE_CANTOPEN: _NOT_OPENED,
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_OF_POSTGRESQL = {
    "55P03": _BUSY,  # lock_not_available
    "40P01": _BUSY,  # deadlock_detected
    "25006": _READ_ONLY,  # read_only_sql_transaction
    "53100": _FULL,  # disk_full
}


def connect(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Return the engine for a database's address; what is in the database is not looked at.

    Raises:
        GradebookError: the address can't be used, or its driver is missing.
    """
    try:
        address = _with_our_driver(make_url(url))
        engine = create_engine(address, **_options(address, busy_timeout_s))
    except ModuleNotFoundError as error:
        raise GradebookError(
            "the driver for this gradebook's address is not installed",
            where=_public_name(url),
            hint=f"For PostgreSQL: {install_extra('postgresql')}.",
        ) from error
    except (ArgumentError, NoSuchModuleError, ValueError):
        # The cause is not told: it repeats the address, with the password in it.
        raise GradebookError(
            "the gradebook's address cannot be used",
            where=_public_name(url),
            hint="Write it like sqlite:///gradebook.db or postgresql://user@host/name.",
        ) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, busy_timeout_s)
    else:
        _expect_unicode(engine)
    return engine


def _with_our_driver(url: URL) -> URL:
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _options(url: URL, busy_timeout_s: float) -> dict[str, Any]:
    if url.get_backend_name() != "postgresql":
        return {}
    timeout_ms = int(busy_timeout_s * 1000)
    return {
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": 10,
            "client_encoding": "UTF8",
            "options": f"-c lock_timeout={timeout_ms}",
        },
    }


def _expect_unicode(engine: Engine) -> None:
    # Before SQLAlchemy asks anything: what a database without an encoding answers are bytes.
    @event.listens_for(engine, "connect", insert=True)
    def look(connection: Any, _record: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise GradebookError(
                f"the database stores text as {encoding}, which can't hold every name",
                where=engine_name(engine),
                hint="Make one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
            )


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
            if error.sqlite_errorcode & 0xFF not in _LOCKED or time.monotonic() > until:
                raise
            time.sleep(0.01)


class ConflictError(GradebookError):
    """A row was refused by a rule of its table, such as that it be the only one of its key."""


Along = Callable[[Session, int], None]
"""Given a row's number, does in its transaction what is to be done with it or not at all."""


class _Open(threading.local):
    """The transactions of `together` that this thread is in."""

    def __init__(self) -> None:
        self.sessions: dict[Engine, Session] = {}


_OPEN = _Open()


@contextmanager
def together(engine: Engine) -> Iterator[Session]:
    """Make one transaction of everything that is read and written inside, by whichever function.

    Each `writing` of this database in this thread joins it: what fails there and is caught is
    undone alone, and nothing lasts before the end of the whole.
    """
    if engine in _OPEN.sessions:
        yield _OPEN.sessions[engine]
        return
    with writing(engine) as session:
        _OPEN.sessions[engine] = session
        try:
            yield session
        finally:
            del _OPEN.sessions[engine]


def is_together(engine: Engine) -> bool:
    """Say whether this thread is in a transaction of `together`: nothing lasts before its end."""
    return engine in _OPEN.sessions


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database and changes nothing."""
    if engine in _OPEN.sessions:  # else it would not see what was written there
        with explained(engine):
            yield _OPEN.sessions[engine]
        return
    with explained(engine), Session(engine, expire_on_commit=False) as session:
        if engine.dialect.name == "postgresql":
            # Else each statement would see what others have committed in between.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session whose changes are committed together at its end, or not at all."""
    if engine in _OPEN.sessions:
        own = _OPEN.sessions[engine]
        with explained(engine), own.begin_nested():
            yield own
        return
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
        raise _explain(error, engine_name(engine)) from error


def _explain(error: SQLAlchemyError, where: str) -> GradebookError:
    original = error.orig if isinstance(error, DBAPIError) else error
    known = _known_fault(original)
    if known is not None:
        what, hint = known
        return GradebookError(what, where=where, hint=hint)
    kind = ConflictError if isinstance(error, IntegrityError) else GradebookError
    said = str(original).splitlines()[0] if str(original) else type(original).__name__
    if isinstance(error, OperationalError) and getattr(original, "sqlstate", "") is None:
        # libpq has no code for a connection that was not made or was lost.
        return GradebookError(
            f"the database server can't be used: {said}", where=where, hint=_CHECK_SERVER
        )
    return kind(
        f"the gradebook's database reports: {said}",
        where=where,
        hint="This step recorded nothing. Check the database, then run the command again.",
    )


def _known_fault(error: BaseException | None) -> tuple[str, str] | None:
    """What a driver's code means and what to do then; None for any other."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _OF_SQLITE.get(code & 0xFF)
    return _OF_POSTGRESQL.get(getattr(error, "sqlstate", None) or "")


def engine_name(engine: Engine) -> str:
    """Return where a database is, without anything secret."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        return engine.url.database
    return _public_name(str(engine.url))


def _public_name(url: str) -> str:
    """An address without user, password and parameters, of which one may be a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}" if rest else scheme[:20]

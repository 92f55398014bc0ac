"""A copy of a gradebook's database while others work in it: one moment of it, whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from grader.errors import GradebookError, UsageError
from grader.gradebook.database import engine_name
from grader.gradebook.schema import open_engine


def copy_database(url: str, folder: Path) -> Path:
    """Copy a database into a folder and return the file: `gradebook.db`, or `gradebook.dump`.

    A file of SQLite is copied by SQLite itself, page by page, also while somebody writes. Of
    PostgreSQL it is what `pg_dump --format=custom` writes, which `pg_restore` reads.

    Raises:
        UsageError: `pg_dump` is not installed.
        GradebookError: the database can't be read, or the copy not be written.
    """
    engine = open_engine(url)
    where = engine_name(engine)
    try:
        if engine.dialect.name == "postgresql":
            return _dumped(engine.url, folder / "gradebook.dump", where)
        target = folder / "gradebook.db"
        with closing(engine.raw_connection()) as source, closing(sqlite3.connect(target)) as copy:
            driver = source.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - there is no third kind
            driver.backup(copy)
        return target
    except (OSError, sqlite3.Error) as error:
        raise GradebookError(
            f"the gradebook can't be copied: {error}",
            where=where,
            hint="See whether the disk is full or the folder read-only.",
        ) from error
    finally:
        engine.dispose()


def _dumped(url: URL, target: Path, where: str) -> Path:
    program = shutil.which("pg_dump")
    if program is None:
        raise UsageError(
            "pg_dump is not installed here",
            hint="apt-get install postgresql-client, of the server's version or a newer one.",
        )
    host = url.host or str(url.query.get("host", ""))
    options = {"host": host, "port": url.port, "username": url.username, "dbname": url.database}
    done = subprocess.run(
        [
            program,
            "--format=custom",
            "--no-owner",
            "--no-password",
            f"--file={target}",
            *(f"--{name}={value}" for name, value in options.items() if value),
        ],
        env={**os.environ, **({"PGPASSWORD": url.password} if url.password else {})},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise GradebookError(f"pg_dump says: {done.stderr.strip()[:500]}", where=where)
    return target

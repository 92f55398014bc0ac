"""A PostgreSQL server of the tests' own: started once, a database for each test, then removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REQUIRE = "GRADER_REQUIRE_POSTGRES"
_HOW = "Install it with: apt-get install postgresql && pip install -e '.[postgresql]'"


@contextmanager
def server() -> Iterator[str]:
    """Start a server that listens on a socket in a folder of its own; yields the folder."""
    programs = _programs()
    base = Path(tempfile.mkdtemp(prefix="grader-pg-"))
    user = _unprivileged(base)
    data = base / "data"
    options = f"-k {base} -c listen_addresses= -c fsync=off -c max_connections=60"
    try:
        _run(
            user, programs / "initdb", "-D", data, "-A", "trust", "-U", "grader", "-N", "-E", "UTF8"
        )
        log = base / "log"
        _run(user, programs / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield str(base)
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def database(folder: str, *, encoding: str = "UTF8") -> Iterator[str]:
    """Make an empty database on the server; yields its address."""
    import psycopg

    name = f"g{uuid.uuid4().hex}"
    with psycopg.connect(host=folder, user="grader", dbname="postgres", autocommit=True) as admin:
        how = f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        admin.execute(f"CREATE DATABASE {name} {how}")
        try:
            yield f"postgresql://grader@/{name}?host={folder}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _programs() -> Path:
    """Where initdb and pg_ctl are; without them the test is skipped, or fails if it must run."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    here = found[-1] if found else shutil.which("initdb")
    if here is None:
        message = f"no PostgreSQL server is installed. {_HOW}"
        if os.environ.get(REQUIRE):
            pytest.fail(message)
        pytest.skip(message)
    return Path(here).parent


def _unprivileged(base: Path) -> list[str]:
    """PostgreSQL refuses to run as root: how to run it as somebody else."""
    if os.getuid() != 0:
        return []
    shutil.chown(base, "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _run(user: list[str], *command: object) -> None:
    done = subprocess.run(
        [*user, *map(str, command)],
        stdout=subprocess.PIPE if "initdb" in str(command[0]) else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        cwd="/",
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout

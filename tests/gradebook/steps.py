"""Alembic over the steps by which an older gradebook is upgraded."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection

import grader.gradebook


def steps(connection: Connection | None = None) -> Config:
    """The steps, on a connection's database."""
    config = Config()
    folder = Path(str(grader.gradebook.__file__)).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

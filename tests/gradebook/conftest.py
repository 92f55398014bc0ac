"""The databases that a gradebook can be in: the same tests run on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.gradebook.store import Gradebook


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path}/gradebook.db"


@pytest.fixture
def book(url: str) -> Iterator[Gradebook]:
    """A new gradebook in each of them."""
    with Gradebook(url) as found:
        yield found

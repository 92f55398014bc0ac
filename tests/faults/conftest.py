"""The marks of a class that nothing disturbed, and a folder of our own for what is temporary."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.courses import finish, make_class, marks


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The marks of `make_class`, by a batch that ran to its end."""
    classroom = make_class(tmp_path_factory.mktemp("undisturbed") / "course")
    assert finish(classroom) == 0
    return marks(classroom)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Whatever is temporary goes here, so that what is left can be told from others' files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert [p.name for p in folder.iterdir()] == []

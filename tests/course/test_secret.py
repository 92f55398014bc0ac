"""Secrets of a course, which several processes may want at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader.course import secret
from grader.course.secret import kept_secret
from grader.errors import InfrastructureError


def test_whoever_comes_while_a_secret_is_being_written_gets_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".some.key"
    path.touch()
    monkeypatch.setattr(time, "sleep", lambda _: path.write_bytes(b"k" * 32))
    assert kept_secret(path, of="something") == b"k" * 32


def test_a_secret_that_is_never_written_is_said_to_be_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".some.key"
    path.touch()
    monkeypatch.setattr(secret, "_WRITTEN_S", 0.0)
    with pytest.raises(InfrastructureError, match="damaged"):
        kept_secret(path, of="something")

"""The bench on which tests of the suite room write their suites."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.suite import clock as suite_clock
from tests.helpers.waiting import Clock
from tests.suite.workbench import Workbench


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that a test lets pass without waiting for it."""
    found = Clock()
    monkeypatch.setattr(suite_clock, "time", found)
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)

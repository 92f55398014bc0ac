"""Which run of the suite is going on: kept in pytest's stash, where the plugin finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from grader.suite.execution import SuiteRun

RUN: pytest.StashKey[SuiteRun] = pytest.StashKey()

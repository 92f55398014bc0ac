"""What the fixtures hand out, and which run is going on: kept in pytest's stash."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from grader.suite.execution import SuiteRun
    from grader.suite.link import BoxLink
    from grader.suite.notebook_view import NotebookView
    from grader.suite.student import Student


@dataclass(frozen=True)
class Binding:
    """One submission as the fixtures `student`, `notebook` and `reference` show it."""

    link: BoxLink
    student: Student
    notebook: NotebookView
    reference: ModuleType | None


BINDING: pytest.StashKey[Binding] = pytest.StashKey()
RUN: pytest.StashKey[SuiteRun] = pytest.StashKey()

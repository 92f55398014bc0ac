"""What the fixtures hand out: kept in pytest's stash."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from grader.suite.box_link import BoxLink
    from grader.suite.executed_notebook import ExecutedNotebook
    from grader.suite.student import Student


@dataclass(frozen=True)
class SubmissionBinding:
    """One submission as the fixtures `student`, `notebook` and `reference` show it."""

    link: BoxLink
    student: Student
    notebook: ExecutedNotebook
    reference: ModuleType | None


BINDING: pytest.StashKey[SubmissionBinding] = pytest.StashKey()

"""A small course with submissions, graded in the local sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.course.directory import Assignment, Course
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook
from tests.helpers.assignments import make_assignment
from tests.helpers.light_boxes import light_boxes  # noqa: F401 - a fixture


class Classroom:
    """A course directory with one assignment and a folder of submissions."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.submissions = root / "submissions"
        self.submissions.mkdir(parents=True)
        self.assignment: Assignment = make_assignment(root, "warm-up")

    @property
    def course(self) -> Course:
        return Course.find(self.root)

    def change(self, **parts: object) -> None:
        """Write the assignment again with other parts."""
        self.assignment = make_assignment(self.root, "warm-up", **parts)  # type: ignore[arg-type]

    def hand_in(self, student: str, *extra_cells: str, untouched: bool = False) -> None:
        """Hand in the solution (or the released notebook), with cells put in front."""
        make = student_notebook if untouched else solution_notebook
        notebook = json.loads(notebook_bytes(make(self.assignment)))
        cells = [
            {
                "cell_type": "code",
                "id": f"extra-{i}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for i, source in enumerate(extra_cells)
        ]
        notebook["cells"] = cells + notebook["cells"]
        (self.submissions / f"{student}.ipynb").write_text(json.dumps(notebook))


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    return Classroom(tmp_path / "course")


@pytest.fixture
def make_classroom(tmp_path: Path) -> Callable[[], Classroom]:
    return lambda: Classroom(tmp_path / "course")

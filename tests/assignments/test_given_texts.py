"""The samples of an assignment are of the notebook that is released now, not of one before it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader.api import find_course
from grader.release.notebooks import student_notebook
from grader.resources import shipped_dir
from tests.assignments.test_samples import ASSIGNMENTS


@pytest.fixture(scope="module")
def course_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(shipped_dir("assignments"), folder / "assignments")
    shutil.copytree(shipped_dir("reference"), folder / "reference")
    return folder


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_samples_hold_the_texts_that_are_released(course_dir: Path, name: str) -> None:
    assignment = find_course(course_dir).assignment(name)
    texts = {
        cell.id: cell.source
        for cell in student_notebook(assignment).cells
        if cell.cell_type == "markdown" and not cell.id.endswith("-answer")
    }
    differ = [
        (path.name, cell["id"])
        for path in sorted((assignment.folder / "samples").glob("*.ipynb"))
        for cell in json.loads(path.read_bytes())["cells"]
        if cell.get("id") in texts and "".join(cell["source"]) != texts[cell["id"]]
    ]
    assert differ == []

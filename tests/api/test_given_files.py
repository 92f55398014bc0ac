"""`[box] files` from the release to a mark: reference, both suites and the notebook import them."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from grader.api.checking import check
from grader.api.courses import release
from grader.api.grading import grade
from grader.course.directory import Course
from grader.release.notebooks import notebook_bytes, solution_notebook
from grader.suite.results import TestOutcome
from tests.course.test_given_files import with_helpers
from tests.helpers.assignments import HIDDEN, PUBLIC
from tests.helpers.notebooks import code

NEEDS = "from helper_functions import shifted\nassert shifted(2) == 1\n"


@pytest.mark.local_box
@pytest.mark.slow
def test_files_of_the_course_are_there_in_release_check_grading_and_suites(tmp_path: Path) -> None:
    assignment = with_helpers(tmp_path / "course")
    for suite, text in (("hidden", HIDDEN), ("public", PUBLIC)):
        for path in (assignment.folder / suite).glob("test_*.py"):
            path.write_text(text.replace("import torch\n", f"import torch\n{NEEDS}", 1))
    solved = json.loads(notebook_bytes(solution_notebook(assignment)))
    solved["cells"].insert(0, code(NEEDS))
    course = Course(tmp_path / "course")
    handed_out = shutil.copytree(release(course, "warm-up").folder, tmp_path / "warm-up")
    notebook = handed_out / "warm-up.ipynb"
    notebook.write_text(json.dumps(solved))
    checked = check(notebook)
    assert [one.outcome for one in checked.results] == [TestOutcome.PASSED]
    assert checked.ahead == ()
    alone = tmp_path / "ada.ipynb"
    shutil.copy(notebook, alone)
    (verdict,) = grade(course, "warm-up", [alone], sandbox="local").verdicts
    assert (verdict.points, verdict.missing_modules) == (Decimal(8), ())

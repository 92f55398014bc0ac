"""An imported assignment gives the marks that nbgrader and Otter give on the same submissions."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.api.grading import grade
from grader.api.importing import import_assignment
from grader.api.validation import validate
from grader.course.directory import Course
from tests.conversion import nbgrader_course, otter_course

HERE = Path(__file__).parent

pytestmark = [pytest.mark.local_box, pytest.mark.slow]


def peers_marks(system: str) -> dict[str, dict[str, Decimal]]:
    """What the other system gave: student → question → points."""
    text = (HERE / f"{system}_marks.toml").read_text()
    marks: dict[str, dict[str, Decimal]] = tomllib.loads(text, parse_float=Decimal)["marks"]
    return marks


def our_marks(
    root: Path, system: str, master: dict[str, Any], handed_in: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Decimal]]:
    """What we give for the same: student → question → points."""
    source, submissions = root / "source" / "hw.ipynb", root / "submissions"
    for path, notebook in {
        source: master,
        **{submissions / f"{student}.ipynb": found for student, found in handed_in.items()},
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook))
    course = Course(root / "course")
    for folder in ("assignments", "reference"):
        (course.root / folder).mkdir(parents=True)
    imported = import_assignment(course, system, source)
    assert [one.unfinished for one in imported] == [()]
    graded = grade(course, imported[0].name, [submissions], sandbox="local")
    found: dict[str, dict[str, Decimal]] = {}
    for verdict in graded.verdicts:
        marks = found.setdefault(verdict.student, {})
        for test in verdict.tests:
            marks[test.question] = marks.get(test.question, Decimal(0)) + test.points
    return found


def test_what_a_person_marks_alone_can_be_validated_and_graded(tmp_path: Path) -> None:
    answer = {**nbgrader_course.code("Because.", "why", grade=True, solution=True, points=2)}
    cells = [nbgrader_course.text("# T"), answer | {"cell_type": "markdown"}]
    for cell in cells:
        cell.pop("outputs", None), cell.pop("execution_count", None)
    master = nbgrader_course.notebook(cells)
    assert our_marks(tmp_path, "nbgrader", master, {"ada": master}) == {"ada": {}}
    assert validate(Course(tmp_path / "course"), "hw", sandbox="local") == []


def of_kinds(total: str, count: str, table: str) -> dict[str, Any]:
    """A notebook with tables, a generator, exact types, and a given cell that is no Python."""
    pieces = {"total(df)": total, "count()": count, "table(n)": table}
    total_cell, count_cell, table_cell = (
        nbgrader_course.solution(
            f"def {head}:\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION", head[:5]
        )
        for head, body in pieces.items()
    )
    frame = "df = pd.DataFrame({'k': ['a', 'b', 'a'], 'v': [1, 2, 3]})"
    given = ["import pandas as pd", "this is = no Python"]
    return nbgrader_course.notebook(
        [
            *(nbgrader_course.code(source, f"given{i}") for i, source in enumerate(given)),
            total_cell,
            nbgrader_course.test(
                f"{frame}\ns = total(df)\nassert type(s) == pd.Series\nassert s['a'] == 4", "t1", 1
            ),
            count_cell,
            nbgrader_course.test("g = count()\nassert next(g) == 1\nassert next(g) == 2", "t2", 1),
            table_cell,
            nbgrader_course.test(
                "t = table(3)\nassert isinstance(t, pd.DataFrame)\n"
                "pd.testing.assert_frame_equal(t, pd.DataFrame({'x': [0, 1, 2]}))",
                "t3",
                1,
            ),
        ]
    )


def test_tables_generators_and_exact_types_are_told_right_from_wrong(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    right = of_kinds(
        "return df.groupby('k')['v'].sum()",
        "yield 1\n    yield 2",
        "return pd.DataFrame({'x': range(n)})",
    )
    wrong = of_kinds(
        "return dict(df.groupby('k')['v'].sum())",  # no series
        "return [1, 2]",
        "return pd.DataFrame({'x': [0, 2, 1]})",
    )
    ours = our_marks(tmp_path, "nbgrader", right, {"right": right, "wrong": wrong})
    assert {student: list(marks.values()) for student, marks in ours.items()} == {
        "right": [1, 1, 1],
        "wrong": [0, 0, 0],
    }


def test_nbgrader_gives_the_same_marks(tmp_path: Path) -> None:
    handed_in = {
        student: nbgrader_course.notebook(nbgrader_course.submission_cells(student))
        for student in nbgrader_course.STUDENTS
    }
    master = nbgrader_course.notebook(nbgrader_course.source_cells())
    ours = our_marks(tmp_path, "nbgrader", master, handed_in)
    assert ours == peers_marks("nbgrader")


def test_otter_gives_the_same_marks_to_the_hundredth(tmp_path: Path) -> None:
    handed_in = {student: otter_course.submission(student) for student in otter_course.STUDENTS}
    master = otter_course.notebook(otter_course.master_cells())
    ours = our_marks(tmp_path, "otter", master, handed_in)
    theirs = peers_marks("otter")
    assert ours.keys() == theirs.keys()
    for student, marks in theirs.items():
        for question, points in marks.items():
            # Thirds of a point: Otter adds up floats, we share hundredths.
            assert abs(ours[student][question] - points) <= Decimal("0.01"), (student, question)

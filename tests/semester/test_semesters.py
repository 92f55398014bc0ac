"""A class in each course that ships: from the zip that was handed in to the system's own file.

One assignment is graded in a sandbox; every other mark comes from a formula, so that totals can be
worked out here without the code that computes them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from grader.course.course_reading import load_course_file
from grader.course.directory import Course
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook
from tests.cli.conftest import Grader, grader
from tests.helpers.assignments import REFERENCE, SPEC, write_assignment
from tests.helpers.classes import NAMES
from tests.semester.systems import SYSTEMS, HandedIn, Pupil

__all__ = ["grader"]

pytestmark = [pytest.mark.local_box, pytest.mark.slow, pytest.mark.timeout(900)]

SIZE = 40 if os.environ.get("GRADER_SEMESTERS") == "everywhere" else 12
CLASS = [Pupil(number=number, name=name) for number, name in enumerate(NAMES[:SIZE])]
MACHINE = SPEC.replace("points = 10", "points = 8").partition('[[questions]]\nid = "q3"')[0]
ALL_OF_IT = REFERENCE.partition("# %% [markdown]\n# ## Question 3")[0]
EARNED = (8, 5, 3, 0)
"""Of 8: all right, softmax alone, column means alone, nothing; by the pupil's number modulo 4."""
BREAKS = {1: "del column_means", 2: "def softmax(x): return x"}

Marks = dict[str, Fraction]
"""By item, as a share of its points; "machine" is the assignment that the sandbox graded."""


@dataclass(frozen=True, kw_only=True)
class Semester:
    """A course that ships, how its class hands in, and its grading in plain arithmetic."""

    course: str
    system: str
    settings: tuple[tuple[str, str], ...] = ()
    """Facts that the course file leaves open, in the order in which they stand there."""
    item: str | None
    """The item that the graded assignment stands for; none: an exercise."""
    total: Callable[[Marks], Fraction]
    by_hand: dict[str, str]


def best(marks: list[Fraction], count: int) -> Fraction:
    """The mean of the best so many."""
    return sum(sorted(marks)[-count:], Fraction(0)) / count


def koc(m: Marks) -> Fraction:
    quiz = m["quiz-theory"] + m["quiz-programming"]
    assignments = 5 * (m["machine"] + m["a2"] + m["a3"] + m["a4"])
    project = (
        2 * m["proposal"]
        + 4 * m["progress-presentation"]
        + 6 * m["progress-report"]
        + 8 * m["final-presentation"]
        + 12 * m["final-report"]
        + 4 * m["quality"]
    )
    papers = 10 * m["paper-presentations"] + 5 * m["paper-reviews"]
    return quiz + assignments + 17 * m["midterm"] + project + papers + 10 * m["participation"]


def umn(m: Marks) -> Fraction:
    homework = [m[item] for item in ("machine", "hw2", "hw3", "hw4", "hw5", "hw6")]
    project = 5 * m["proposal"] + 10 * m["midterm-presentation"] + 25 * m["final-report"]
    return 60 * best(homework, 4) + project


def iith(m: Marks) -> Fraction:
    assignments = [m[item] for item in ("machine", "a2", "a3", "a4", "a5")]
    return 40 * best(assignments, 4) + 30 * m["project"] + 20 * m["exam"] + 10 * m["tests"]


def ntu(m: Marks) -> Fraction:
    return 20 * m["quiz"] + 30 * m["project1"] + 40 * m["project2"] + 10 * m["presentation"]


def sutd(m: Marks) -> Fraction:
    return 30 * m["midterm"] + 40 * m["final"] + 30 * m["project"]


SEMESTERS = [
    Semester(
        course="koc-comp541",
        system="blackboard",
        settings=(("percent_per_day", "20"), ("pass_mark", "40"), ("pass_mark", "40")),
        item="a1",
        total=koc,
        # u00: quiz 0.40 + 0.51, assignments 5 (1 + 0.73 + 0.84 + 0.95), midterm 17 * 0.45, project
        # 1.12 + 2.68 + 4.68 + 7.12 + 12 + 2, papers 6.10 + 3.60, participation 8.30.
        # u01: 0.77 + 0.88, 5 (0.625 + 0.49 + 0.60 + 0.71), 17 * 0.82, 24.62, 9.80 + 2.40, 5.90;
        # 70.435 is rounded half up.
        # u03: 1.30, 5 (0 + 0.62 + 0.73 + 0.84), 17 * 0.95, 28.08, 5 + 3.05, 7.20.
        by_hand={"u00": "73.76", "u01": "70.44", "u03": "71.73"},
    ),
    Semester(
        course="umn-dl",
        system="canvas",
        item="hw1",
        total=umn,
        # u00: 15 (1 + 0.95 + 0.84 + 0.73), then 2.25 + 5.60 + 16.75.
        # u01: 15 (0.99 + 0.88 + 0.71 + 0.625), then 4.10 + 9.30 + 10.75; 72.225 is rounded half up.
        # u03: 15 (0.84 + 0.73 + 0.62 + 0.51), then 4.75 + 4.50 + 14.
        by_hand={"u00": "77.40", "u01": "72.23", "u03": "63.75"},
    ),
    Semester(
        course="iith-dl",
        system="moodle",
        item="a1",
        total=iith,
        # u00: 10 (1 + 0.84 + 0.73 + 0.62), then 28.50 + 9 + 5.60.
        # u01: 10 (0.99 + 0.88 + 0.625 + 0.60), then 21.30 + 16.40 + 9.30.
        # u03: 10 (0.73 + 0.62 + 0.51 + 0.40), then 25.20 + 19 + 4.50.
        by_hand={"u00": "75.00", "u01": "77.95", "u03": "71.30"},
    ),
    Semester(
        course="ntu-ce7454",
        system="gradescope",
        item=None,
        total=ntu,
        # u00: 8 + 15.30 + 24.80 + 7.30; u01: 15.40 + 26.40 + 39.60 + 4.90;
        # u03: 18 + 12 + 20.40 + 6.20.
        by_hand={"u00": "55.40", "u01": "86.30", "u03": "56.60"},
    ),
    Semester(
        course="sutd-50039",
        system="canvas",
        settings=(
            ("weight", "30"),
            ("weight", "40"),
            ("weight", "30"),
            ("due", "2024-04-26"),
        ),
        item=None,
        total=sutd,
        # u00: 12 + 20.40 + 18.60; u01: 23.10 + 35.20 + 29.70; u03: 27 + 16 + 15.30.
        by_hand={"u00": "51.00", "u01": "88.00", "u03": "58.30"},
    ),
]


def in_hundredths(total: Fraction) -> str:
    """Round half up, as the courses that say nothing else do."""
    whole = int(total * 100 + Fraction(1, 2))
    return f"{whole // 100}.{whole % 100:02}"


def points(pupil: Pupil, place: int) -> int:
    """What the formula gives for the item at a place of the course file: 40 to 100."""
    return 40 + (37 * pupil.number + 11 * place) % 61


def set_up(semester: Semester, root: Path, grader: Grader) -> Course:
    """Make the course directory as whoever teaches it does, with one small assignment in it."""
    assert grader("init", root, "--course", semester.course).code == 0
    path = root / "course.toml"
    text = path.read_text()
    for key, value in semester.settings:
        text = text.replace(f'{key} = "open"', f"{key} = {value}", 1)
    text = re.sub(r"^assignments = \[[^]]*\]", 'assignments = ["warm-up"]', text, flags=re.M)
    text = re.sub(r'^assignment = "mlp-backprop"$', 'assignment = "warm-up"', text, flags=re.M)
    text = re.sub(r'^(assignment = "(?!warm-up).*|machine = true)$', "", text, flags=re.M)
    path.write_text(text)
    write_assignment(root, spec=MACHINE, reference=ALL_OF_IT)
    people = "".join(f'{p.id},"{p.name}",{p.email},{p.number},{900 + p.number}\n' for p in CLASS)
    (root / "roster.csv").write_text(f"id,name,email,number,canvas\n{people}")
    return Course.find(root)


def handed_in(course: Course) -> list[HandedIn]:
    """Everybody's notebook; every tenth came a day late."""
    assignment = course.assignment("warm-up")
    due = assignment.spec.dates.due
    assert due is not None
    released = notebook_bytes(student_notebook(assignment))
    solved = json.loads(notebook_bytes(solution_notebook(assignment)))
    made = []
    for pupil in CLASS:
        kind = pupil.number % 4
        data = released
        if kind < 3:
            data = json.dumps(with_cell(solved, BREAKS.get(kind, "pass"))).encode()
        late = dt.timedelta(hours=23 if pupil.number % 10 == 9 else -1)
        zone = ZoneInfo(load_course_file(course.root / "course.toml").timezone)
        made.append(HandedIn(pupil=pupil, data=data, at=(due + late).astimezone(zone)))
    return made


def with_cell(notebook: dict[str, object], source: str) -> dict[str, object]:
    """The notebook with one more code cell at its end."""
    cell = {"cell_type": "code", "id": "more", "metadata": {}, "source": source, "outputs": []}
    cells = notebook["cells"]
    assert isinstance(cells, list)
    return notebook | {"cells": [*cells, cell | {"execution_count": None}]}


def import_marks(course: Course, semester: Semester, grader: Grader) -> dict[str, Marks]:
    """Give every mark that no machine gives; return all shares."""
    scheme = load_course_file(course.root / "course.toml")
    lines = ["student,item,points"]
    shares: dict[str, Marks] = {}
    for pupil in CLASS:
        own = shares.setdefault(pupil.id, {"machine": Fraction(EARNED[pupil.number % 4], 8)})
        for place, item in enumerate(scheme.items):
            if item.id == semester.item:
                continue
            given = points(pupil, place)
            own[item.id] = Fraction(given, 100)
            lines.append(f"{pupil.id},{item.id},{given}")
    (course.root / "marks.csv").write_text("\n".join(lines) + "\n")
    done = grader("import-marks", course.root / "marks.csv")
    assert done.code == 0, done.err
    return shares


@pytest.mark.parametrize("semester", SEMESTERS, ids=lambda s: s.course)
def test_a_class_comes_from_its_zip_to_its_systems_file(
    semester: Semester, tmp_path: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, system = tmp_path / "course", SYSTEMS[semester.system]
    course = set_up(semester, root, grader)
    monkeypatch.chdir(root)
    (root / "class.zip").write_bytes(system.zip(handed_in(course)))
    collected = grader("collect", "warm-up", root / "class.zip")
    assert collected.code == 0, collected.err
    graded = grader("grade", "warm-up", "submissions", "--sandbox", "local", "--json")
    assert graded.code == 0, graded.err
    machine = {s["student"]: s["points"] for s in graded.json()["submissions"]}
    assert machine == {p.id: EARNED[p.number % 4] for p in CLASS}

    shares = import_marks(course, semester, grader)
    exported = root / "exported.csv"
    exported.write_bytes(system.table(CLASS))
    done = grader(
        "export", semester.system, "--into", exported, "--totals",
        "--column", f"total={system.mark}", "-o", root / "filled.csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = system.marks((root / "filled.csv").read_bytes())
    assert found == {who: in_hundredths(semester.total(own)) for who, own in shares.items()}
    assert {who: found[who] for who in semester.by_hand} == semester.by_hand

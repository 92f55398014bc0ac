"""What commands cost that only read the record: a class of 400 in five assignments, made up.

    python benchmarks/records.py --students 400

Prints a line of JSON for each command: seconds of wall clock and of CPU, the median of its runs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from grader.course.directory import Course
from grader.course.spec import AssignmentSpec, Question
from grader.gradebook.store import Gradebook
from grader.grading.make_verdict import question_marks
from grader.grading.verdict import Outcome, Provenance, SubmissionRecord, Verdict
from grader.suite.results import TestOutcome, TestResult

GRADER = Path(sys.executable).with_name("grader")
ASSIGNMENTS = 5
QUESTIONS = 6
SPEC = """\
title = "Assignment {number}"
points = {points}
[dates]
due = 2025-02-0{number}T23:59:00Z
"""
COURSE_FILE = """\
title = "A course"
institution = "A university"
term = "Spring"
timezone = "UTC"
assignments = [{names}]
[letters]
bands = {{ "A" = 90, "B" = 80, "C" = 70, "D" = 60 }}
[late]
grace_days = 5
percent_per_day = 10
[[components]]
id = "homework"
title = "Homework"
weight = 60
{items}
[[components]]
id = "exam"
title = "Exam"
weight = 40
"""


def questions() -> tuple[Question, ...]:
    """The same in each assignment."""
    return tuple(
        Question(id=f"q{i}", title=f"Question {i}", points=Decimal(10)) for i in range(QUESTIONS)
    )


def write_course(root: Path) -> None:
    """A course directory: specs and a course file; nothing in it is ever run."""
    items = []
    for number in range(1, ASSIGNMENTS + 1):
        folder = root / "assignments" / f"hw{number}"
        (folder / "hidden").mkdir(parents=True)
        (folder / "hidden" / "test_all.py").write_text("")
        text = SPEC.format(number=number, points=10 * QUESTIONS)
        for q in questions():
            text += f'[[questions]]\nid = "{q.id}"\ntitle = "{q.title}"\npoints = {q.points}\n'
        (folder / "assignment.toml").write_text(text)
        items.append(
            f'[[components.items]]\nid = "hw{number}"\ntitle = "Homework {number}"\n'
            f'assignment = "hw{number}"\n'
        )
    names = [f'"hw{number}"' for number in range(1, ASSIGNMENTS + 1)]
    (root / "reference").mkdir()
    for number in range(1, ASSIGNMENTS + 1):
        (root / "reference" / f"hw{number}.py").write_text("")
    (root / "course.toml").write_text(
        COURSE_FILE.format(items="\n".join(items), names=", ".join(names))
    )


def made_up(student: str, number: int, rng: random.Random) -> Verdict:
    """A verdict of three tests a question, some of which failed."""
    due = dt.datetime(2025, 2, number, 23, 59, tzinfo=dt.UTC)
    spec = AssignmentSpec(
        title="", summary="", points=Decimal(10 * QUESTIONS), questions=questions()
    )
    tests = tuple(
        _result(question.id, case, passed=rng.random() < 0.8)
        for question in spec.questions
        for case, worth in enumerate((2, 3, 5))
    )
    return Verdict(
        assignment=f"hw{number}",
        student=student,
        outcome=Outcome.GRADED,
        points=sum((t.points for t in tests), Decimal(0)),
        max_points=spec.points,
        tests=tests,
        questions=question_marks(spec, tests),
        submission=SubmissionRecord(
            file=f"hw{number}.ipynb",
            sha256=f"{rng.getrandbits(256):064x}",
            submitted_at=due + dt.timedelta(hours=rng.choice([-30, -3, -1, 20, 40])),
        ),
        provenance=Provenance(
            bundle_sha256="", image="", sandbox="local", isolation="warm", seed=1, graded_at=due
        ),
    )


def _result(question: str, case: int, *, passed: bool) -> TestResult:
    worth = Decimal((2, 3, 5)[case])
    return TestResult(
        name=f"test_{question}_{case}",
        question=question,
        title=f"Check {case} of {question}",
        points=worth if passed else Decimal(0),
        max_points=worth,
        outcome=TestOutcome.PASSED if passed else TestOutcome.FAILED,
        message="" if passed else "The result differs from what was expected.",
    )


def fill(root: Path, students: int) -> None:
    """Record everybody's verdicts; the last assignment waits for half of the class."""
    rng = random.Random(5)
    with Gradebook(Course(root).database_url) as gradebook:
        for number in range(1, ASSIGNMENTS + 1):
            batch = gradebook.start_batch(f"hw{number}", seed=1)
            there = students if number < ASSIGNMENTS else students // 2
            for who in range(there):
                gradebook.record(made_up(f"s{who:04}", number, rng), b"{}", batch=batch)
            gradebook.finish_batch(batch)


def measure(root: Path, arguments: Sequence[str], times: int) -> dict[str, object]:
    """Run a command several times, the first one left out."""
    walls, processors = [], []
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(times + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        ran = subprocess.run(
            [GRADER, *arguments], cwd=root, env=environment, check=False, capture_output=True
        )
        if ran.returncode:
            raise SystemExit(ran.stderr.decode())
        walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {
        "command": " ".join(["grader", *arguments]),
        "s": round(statistics.median(walls[1:]), 2),
        "cpu_s": round(statistics.median(processors[1:]), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=400)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_course(root)
        fill(root, options.students)
        for command in (["totals"], ["totals", "--need", "B"], ["report", "hw1"], ["list"]):
            print(json.dumps(measure(root, command, options.times)), flush=True)


if __name__ == "__main__":
    main()

"""The memory of the judge's own process: what a box sends can grow in a suite's hands."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from grader.api import grade
from grader.grading.verdict import Outcome
from grader.suite.outcomes import BROKEN, TOO_MUCH_MEMORY
from grader.suite.results import TestOutcome
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HIDDEN

TALL = "import torch\n\ndef softmax(x):\n    return torch.zeros(100_000, 1)"
GROWS = """\
import os

import numpy


@pytest.mark.question("q1")
@pytest.mark.points(0)
def test_that_grows(student):
    x = student.softmax(torch.zeros(2, 2))
    {line}


@pytest.mark.question("q1")"""
LIMIT = "from grader.grading.own_memory import bound_own_memory\nbound_own_memory(300 << 20)\n"


def with_line(line: str) -> str:
    return HIDDEN.replace('@pytest.mark.question("q1")', GROWS.format(line=line), 1)


def graded(
    classroom: Classroom, line: str
) -> dict[str, tuple[Outcome, TestOutcome, str, set[str]]]:
    """By student: the submission's outcome; of the test that grows outcome and message; passed."""
    classroom.change(hidden=with_line(line))
    classroom.hand_in("ada")
    classroom.hand_in("eve")
    file = classroom.submissions / "eve.ipynb"
    notebook = json.loads(file.read_text())
    notebook["cells"].append({**notebook["cells"][-1], "cell_type": "code", "id": "last"})
    notebook["cells"][-1] |= {"source": TALL, "outputs": [], "execution_count": None}
    file.write_text(json.dumps(notebook))
    options = {"sandbox": "local", "isolation": "warm", "slots": 1}
    batch = grade(classroom.course, "warm-up", [classroom.submissions], **options)  # type: ignore[arg-type]
    found = {}
    for verdict in batch.verdicts:
        tests = {test.name: test for test in verdict.tests}
        grows = tests.pop("test_that_grows")
        passed = {n for n, test in tests.items() if test.outcome is TestOutcome.PASSED}
        found[verdict.student] = (verdict.outcome, grows.outcome, grows.message, passed)
    return found


@pytest.mark.local_box
@pytest.mark.parametrize(
    ("line", "outcome", "message"),
    [
        ("list(range(len(x) ** 2))", TestOutcome.OUT_OF_MEMORY, TOO_MUCH_MEMORY),
        pytest.param(
            *("x + torch.ones(len(x))", TestOutcome.OUT_OF_MEMORY, TOO_MUCH_MEMORY),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *("x.numpy() + numpy.ones(len(x))", TestOutcome.OUT_OF_MEMORY, TOO_MUCH_MEMORY),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *("len(x) > 2 and os.kill(os.getpid(), 9)", TestOutcome.FAILED, "What your code"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_value_that_grows_in_a_test_costs_that_test_alone(
    classroom: Classroom, line: str, outcome: TestOutcome, message: str
) -> None:
    found = graded(classroom, line)
    assert found["ada"][:2] == (Outcome.GRADED, TestOutcome.PASSED)
    assert len(found["ada"][3]) == 4
    graded_as, ended_as, said, passed = found["eve"]
    assert (graded_as, ended_as) == (Outcome.GRADED, outcome)
    assert said.startswith(message)
    assert passed == {"test_column_means"}  # it came after, and ran


@pytest.mark.slow
@pytest.mark.local_box
def test_a_suite_that_grows_by_itself_is_a_fault_of_the_suite(classroom: Classroom) -> None:
    found = graded(classroom, "list(range(10 ** 9))")
    assert {outcome for outcome, *_ in found.values()} == {Outcome.SUITE_ERROR}
    assert {ended_as for _, ended_as, *_ in found.values()} == {TestOutcome.SUITE_ERROR}
    assert {message for _, _, message, _ in found.values()} == {BROKEN}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_only_so_much_more_can_be_had_and_reserved_addresses_do_not_count() -> None:
    code = (
        "import mmap\n"
        "reserved = mmap.mmap(-1, 4 << 30, mmap.MAP_PRIVATE, mmap.PROT_READ)\n"
        f"{LIMIT}"
        "kept = bytearray(200 << 20)\n"
        "more = mmap.mmap(-1, 4 << 30, mmap.MAP_PRIVATE, mmap.PROT_READ)\n"
        "try:\n    bytearray(200 << 20)\n"
        "except MemoryError:\n    print('no more')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "no more\n"

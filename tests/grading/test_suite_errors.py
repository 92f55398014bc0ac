"""Whose fault it is when a hidden test ends in an exception: a student never pays for ours."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.api import Graded, course_totals, grade, write_report
from grader.gradebook.course_marks import course_marks
from grader.gradebook.store import Gradebook
from grader.grading.baseline import Baseline, settled
from grader.grading.verdict import Outcome
from grader.suite.account import Account, Received, Trusted
from grader.suite.outcomes import BROKEN, UNUSABLE
from grader.suite.results import TestOutcome, TestResult
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HIDDEN

COURSE = """\
title = "C"
institution = "U"
term = "T"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]
[[components]]
id = "homework"
title = "Homework"
weight = 100
[[components.items]]
id = "warm-up"
title = "Warm-up"
assignment = "warm-up"
"""
NUMPY = "def softmax(x):\n    return torch.softmax(x, 1).numpy()"
TEXT = "def softmax(x):\n    return 'no'"
ODD = HIDDEN.replace(
    "def test_rows_sum_to_one(student):",
    """def test_rows_sum_to_one(student):
    \"\"\"Each row of softmax(x) must sum to one.\"\"\"
    student.softmax(torch.randn(2, 2)).sum(1)[1].item()


@pytest.mark.question("q1")
@pytest.mark.points(0)
def test_zero(student):""",
)


def run(classroom: Classroom, **options: object) -> Graded:
    return grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        **{"sandbox": "local", "isolation": "warm", "slots": 1, **options},  # type: ignore[arg-type]
    )


def with_line(line: str) -> str:
    """The suite with that line at the beginning of its first test."""
    head = "def test_rows_sum_to_one(student):\n"
    return HIDDEN.replace(head, head.replace("student", "student, reference") + f"    {line}\n", 1)


@pytest.mark.local_box
@pytest.mark.parametrize(
    "line",
    [
        "{}['oops']",
        pytest.param("reference.oops", marks=pytest.mark.slow),
        pytest.param("reference.softmax('no tensor')", marks=pytest.mark.slow),
        pytest.param("pytest.skip('no GPU')", marks=pytest.mark.slow),
    ],
)
def test_a_fault_of_the_suite_costs_nobody_a_point_and_is_told(
    classroom: Classroom, line: str
) -> None:
    classroom.hand_in("ada")
    classroom.hand_in("bob", untouched=True)
    classroom.change(hidden=with_line(line))
    graded = run(classroom)
    assert {v.outcome for v in graded.verdicts} == {Outcome.SUITE_ERROR}
    assert {v.points for v in graded.verdicts} == {0}
    (fault,) = graded.suite_faults
    assert fault.students == ("ada", "bob")
    assert fault.test == "test_rows_sum_to_one" and "test_warm_up.py:" in fault.what
    page = (graded.pages["ada"]).read_text()
    assert "A check of this assignment is broken, not this work" in page
    assert "oops" not in page and "test_warm_up.py" not in page and "no GPU" not in page
    assert "test_warm_up.py" in graded.class_page.read_text()


@pytest.mark.local_box
@pytest.mark.slow
def test_it_is_open_until_the_suite_is_mended_and_then_a_mark(classroom: Classroom) -> None:
    (classroom.root / "course.toml").write_text(COURSE)
    classroom.hand_in("ada")
    classroom.change(hidden=with_line("{}['oops']"))
    run(classroom)
    with Gradebook(classroom.course.database_url) as gradebook:
        assert gradebook.current("warm-up") == []
        (mark,) = course_marks(classroom.course, gradebook)
    assert mark.points is None and "a check of the assignment is broken" in mark.waits_for
    assert course_totals(classroom.course).of("ada").waiting
    assert "suite is broken" in write_report(classroom.course, "warm-up").read_text()

    again = run(classroom)  # nothing has changed, and it is no mark: it is tried again
    assert again.run == 1 and again.suite_faults
    classroom.change(hidden=HIDDEN)
    mended = run(classroom)
    (verdict,) = mended.verdicts
    assert (verdict.outcome, verdict.points) == (Outcome.GRADED, Decimal(8))
    assert run(classroom).run == 0
    with Gradebook(classroom.course.database_url) as gradebook:
        assert gradebook.unmarked("warm-up") == []


@pytest.mark.local_box
def test_what_a_students_value_causes_stays_the_students(classroom: Classroom) -> None:
    classroom.change(hidden=ODD)
    classroom.hand_in("ada")
    for name, code in (("array", NUMPY), ("text", TEXT)):
        classroom.hand_in(name)
        append(classroom.submissions / f"{name}.ipynb", code)
    found = {v.student: v for v in run(classroom).verdicts}
    assert {v.outcome for v in found.values()} == {Outcome.GRADED}
    assert found["ada"].points == 8
    tests = {name: {t.name: t for t in v.tests} for name, v in found.items()}
    said = tests["text"]["test_rows_sum_to_one"]
    assert (said.outcome, said.points) == (TestOutcome.FAILED, 0)
    assert said.message == f"{UNUSABLE}: `softmax(…)` gave text; a tensor was expected."
    said = tests["array"]["test_softmax_matches[1.0]"]
    assert said.message == f"{UNUSABLE}: `softmax(…)` gave a numpy array; a tensor was expected."


def append(path: Path, code: str) -> None:
    """Give a notebook a last cell: what it defines takes the place of the solution's."""
    notebook = json.loads(path.read_text())
    cell = {
        "cell_type": "code",
        "id": "last",
        "metadata": {},
        "source": code,
        "outputs": [],
        "execution_count": None,
    }
    notebook["cells"].append(cell)
    path.write_text(json.dumps(notebook))


@pytest.mark.slow
@pytest.mark.local_box
def test_a_suite_that_ends_its_process_for_the_reference_too_is_broken(
    classroom: Classroom,
) -> None:
    classroom.hand_in("ada")
    classroom.change(hidden=with_line("__import__('os')._exit(3)"))
    (verdict,) = run(classroom).verdicts
    assert verdict.outcome is Outcome.SUITE_ERROR
    assert [t.name for t in verdict.broken_tests] == ["test_rows_sum_to_one"]


def result(outcome: TestOutcome, message: str = "", **parts: object) -> TestResult:
    return TestResult(
        name="test_f",
        question="q1",
        points=Decimal(0),
        max_points=Decimal(2),
        outcome=outcome,
        message=message,
        **parts,  # type: ignore[arg-type]
    )


def test_without_a_run_of_the_reference_a_doubt_is_the_suites() -> None:
    doubted = result(TestOutcome.FAILED, f"{UNUSABLE}: KeyError.", hints=("Look.",))
    (found,) = settled([doubted], {"test_f": Account(doubtful=True)}, Baseline())
    assert (found.outcome, found.message, found.hints) == (TestOutcome.SUITE_ERROR, BROKEN, ())
    assert "could not be run" in found.details


def test_only_the_first_difference_of_the_same_call_is_told() -> None:
    def received(*pairs: tuple[str, str]) -> Account:
        got = tuple(Received(asked=a, kind=k) for a, k in pairs)
        return Account(doubtful=True, unusable=True, received=got)

    passed = {"test_f": result(TestOutcome.PASSED)}
    doubted = result(TestOutcome.FAILED, f"{UNUSABLE}: KeyError.")
    ours = received(("f(…)", "a tensor"), ("g(…)", "a list"))
    for theirs, said in (
        (received(("f(…)", "a tensor"), ("g(…)", "a dict")), "`g(…)` gave a dict; a list was"),
        (received(("f(…)", "a tensor"), ("h(…)", "a dict")), "KeyError."),
        (received(("f(…)", "a tensor")), "KeyError."),
    ):
        baseline = Baseline(results=passed, accounts={"test_f": ours})
        (found,) = settled([doubted], {"test_f": theirs}, baseline)
        assert found.outcome is TestOutcome.FAILED and said in found.message


def test_a_check_that_failed_is_not_said_to_be_unusable_whatever_its_words() -> None:
    got, wanted = (Received(asked="f(…)", kind=kind) for kind in ("a dict", "a list"))
    doubted = result(TestOutcome.FAILED, f"{UNUSABLE}, it says.")
    baseline = Baseline(
        results={"test_f": result(TestOutcome.PASSED)},
        accounts={"test_f": Account(received=(wanted,))},
    )
    account = Account(doubtful=True, received=(got,))
    assert settled([doubted], {"test_f": account}, baseline) == (doubted,)


def test_a_result_beyond_doubt_is_left_alone() -> None:
    plain = result(TestOutcome.FAILED, "This check failed.")
    assert settled([plain], {"test_f": Account()}, Baseline()) == (plain,)


def test_an_object_in_the_place_of_a_tensor_earns_nothing_by_its_own_word() -> None:
    earned = msgspec.structs.replace(result(TestOutcome.PASSED), points=Decimal(2))

    def points(came: str, expected: str, *, name: str = "allclose", held: str = "") -> Decimal:
        """Of an object that came as such, or in what was held; the reference gave what it gave."""
        (got,) = received("f(…)", held or came)
        trusted = (Trusted(asked="f(…)", kind=came, name=name),)
        liar = Account(trusting=True, trusted=trusted, received=(got,))
        reference = {"test_f": Account(received=received("f(…)", expected))}
        baseline = Baseline(results={"test_f": earned}, accounts=reference)
        (found,) = settled([earned], {"test_f": liar}, baseline)
        return found.points

    def received(asked: str, kind: str) -> tuple[Received, ...]:
        return (Received(asked=asked, kind=kind),)

    for came in ("an object of the class Liar", "a class", "a function", "a network", "a tensor"):
        assert points(came, "a tensor") == points(came, "True or False") == 0
        assert points(came, "a list", held="a list") == 0
    liar = "an object of the class Liar"
    assert points(liar, "an object of the class Model") == points(liar, "a list") == 2
    assert points(liar, "a list", held="a list", name="getitem") == 2
    assert points(liar, "a tensor", name="getitem") == 0

    asked = (Trusted(asked="f(…)", kind="an object of the class Model", name="shape"),)
    own = Account(trusting=True, trusted=asked, received=received("f(…)", liar))
    baseline = Baseline(results={"test_f": earned}, accounts={"test_f": own})
    assert settled([earned], {"test_f": own}, baseline) == (earned,)


BY_NUMPY = HIDDEN.replace(
    "    assert_close(student.softmax(torch.randn(5, 7)).sum(1), torch.ones(5))\n",
    "    import numpy as np\n"
    "    x = torch.randn(5, 7)\n"
    "    out = student.softmax(x)\n"
    "    off = np.subtract(np.asarray(out), reference.softmax(x).sum().numpy()[None, None])\n"
    "    assert np.allclose(off, 0, atol=10) or np.mean(off**2) < 1e-6\n",
).replace("def test_rows_sum_to_one(student)", "def test_rows_sum_to_one(student, reference)")


@pytest.mark.local_box
def test_nothing_and_imaginary_numbers_earn_what_the_reference_would_not_give(
    classroom: Classroom,
) -> None:
    classroom.change(hidden=BY_NUMPY)
    classroom.hand_in("ada")
    odd = {"nothing": "[]", "imaginary": "1e6j", "large": "10 ** 400"}
    for name, value in odd.items():
        classroom.hand_in(name)
        append(classroom.submissions / f"{name}.ipynb", f"def softmax(x):\n    return {value}")
    found = {v.student: v for v in run(classroom).verdicts}
    assert {v.outcome for v in found.values()} == {Outcome.GRADED}
    assert {name: found[name].points for name in found} == {
        **dict.fromkeys(odd, Decimal(3)),
        "ada": Decimal(8),
    }
    tests = {name: {t.name: t for t in v.tests} for name, v in found.items()}
    for name, came in (("nothing", "no numbers at all"), ("imaginary", "complex numbers")):
        said = tests[name]["test_rows_sum_to_one"]
        assert said.message == f"{UNUSABLE}: `softmax(…)` gave {came}; a tensor was expected."

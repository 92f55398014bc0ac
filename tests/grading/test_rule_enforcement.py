"""Rules held against submissions in the local sandbox: what they cost, and what they don't."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import torch  # noqa: F401 - names of rules are looked up in what is imported

from grader.api.batch_config import trial_config
from grader.course.spec import Rules
from grader.errors import SpecError
from grader.grading.batch import grade_batch
from grader.grading.job import Job
from grader.grading.rule_enforcement import enforce
from grader.grading.verdict import Verdict, verdict_from_json, verdict_to_json
from grader.sandbox.choose import choose
from grader.suite.evidence import Evidence
from grader.suite.results import TestOutcome, TestResult
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HIDDEN, SPEC
from tests.rules.readings import SOFTMAX as NAME
from tests.rules.readings import book_of

pytestmark = pytest.mark.local_box

SOFTMAX = (
    'points = 5\n[questions.rules]\nforbid = ["torch.nn.functional.softmax"]\nnames = ["softmax"]\n'
)
FLAGGED = (
    'points = 3\n[questions.rules]\nforbid = ["torch.median"]\nnames = ["column_means"]\n'
    'cost = "flag"\n'
)
TRACED = """
def softmax(x):
    return make_softmax()(x)

def make_softmax():
    hidden = [f for n, f in vars(torch.nn.functional).items() if n[::-1] == "xam" + "tfos"]
    return lambda x: hidden[0](x, dim=1)
"""
THREADS = TRACED.replace(
    "    return make_softmax()(x)",
    "    import threading\n    got = []\n"
    "    run = threading.Thread(target=lambda: got.append(make_softmax()(x)))\n"
    "    run.start()\n    run.join()\n    return got[0]",
)
LIBRARY = "def softmax(x):\n    return torch.softmax(x, dim=1)"
MEDIAN = """
def column_means(path):
    rows = [[float(cell) for cell in line.split(",")] for line in open(path)]
    return torch.median(torch.tensor(rows), dim=0).values
"""


def spec(rules: str) -> str:
    return SPEC.replace("points = 5\n", rules, 1)


def hand_in(classroom: Classroom, student: str, *cells: str) -> None:
    """Hand in the solution with cells after it."""
    classroom.hand_in(student, *cells)
    path = classroom.submissions / f"{student}.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"] = notebook["cells"][len(cells) :] + notebook["cells"][: len(cells)]
    path.write_text(json.dumps(notebook))


def run(classroom: Classroom) -> dict[str, Verdict]:
    """Judge all that was handed in; neither gradebook nor pages."""
    found: dict[str, Verdict] = {}
    jobs = [
        Job(student=path.stem, file=path.name, data=path.read_bytes(), sha256=path.stem)
        for path in sorted(classroom.submissions.glob("*.ipynb"))
    ]
    choice = choose("local", "warm", hide=(classroom.root,))
    config = trial_config(classroom.assignment, choice, 0)
    grade_batch(config, jobs, lambda j: found.update({j.verdict.student: j.verdict}))
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """A class in which everybody does something else, judged once."""
    classroom = Classroom(tmp_path_factory.mktemp("rules") / "course")
    classroom.change(spec=spec(SOFTMAX).replace("points = 3\n", FLAGGED))
    hand_in(classroom, "honest", "softmax_of_torch = torch.softmax(torch.ones(1, 2), 1)")
    hand_in(classroom, "library", LIBRARY)
    hand_in(classroom, "hides", TRACED)
    hand_in(classroom, "threads", THREADS)
    hand_in(classroom, "median", MEDIAN)
    return run(classroom)


def test_a_violation_costs_the_points_of_the_tests_that_use_it_and_no_others(
    found: dict[str, Verdict],
) -> None:
    assert found["honest"].points == Decimal(8)
    assert not found["honest"].violations
    library = found["library"]
    assert library.points == Decimal(3)
    assert [(q.id, q.points) for q in library.questions] == [
        ("q1", Decimal(0)),
        ("q2", Decimal(3)),
        ("q3", Decimal(0)),
    ]
    (violation,) = library.violations
    assert violation.rule == "torch.nn.functional.softmax"
    assert violation.points == Decimal(5)
    assert violation.text == "return torch.softmax(x, dim=1)"
    assert violation.line == 2
    assert len(violation.tests) == 3
    lost = [t for t in library.tests if t.question == "q1"]
    assert {t.outcome for t in lost} == {TestOutcome.FAILED}
    assert all("torch.softmax" in t.message and "cell 11" in t.message for t in lost)
    assert verdict_from_json(verdict_to_json(library)) == library


def test_a_flag_leaves_the_marks_alone(found: dict[str, Verdict]) -> None:
    verdict = found["median"]
    assert verdict.points == Decimal(8)
    assert [(b.cost, b.points) for b in verdict.violations] == [("flag", Decimal(0))]


def test_a_test_that_has_the_object_from_a_shared_fixture_loses_its_points_too(
    classroom: Classroom,
) -> None:
    hidden = HIDDEN.replace(
        '@pytest.mark.question("q1")',
        '@pytest.fixture(scope="module")\ndef rows(student):\n'
        '    return student.softmax(torch.zeros(2, 4))\n\n\n@pytest.mark.question("q1")',
        1,
    )
    for old in ("student.softmax(torch.randn(5, 7)).sum(1), torch.ones(5)",):
        hidden = hidden.replace(old, "rows.sum(1), torch.ones(2)")
    hidden = hidden.replace("test_rows_sum_to_one(student)", "test_rows_sum_to_one(rows)")
    hidden = hidden.replace(
        "test_softmax_matches(student, reference, scale)",
        "test_softmax_matches(rows, reference, scale)",
    ).replace(
        "assert_close(student.softmax(x), reference.softmax(x))",
        "assert_close(rows, reference.softmax(torch.zeros(2, 4)))",
    )
    classroom.change(spec=spec(SOFTMAX), hidden=hidden)
    hand_in(classroom, "library", LIBRARY)
    assert run(classroom)["library"].points == Decimal(3)


def test_a_call_that_the_source_hides_is_seen_when_it_runs(found: dict[str, Verdict]) -> None:
    verdict = found["hides"]
    assert verdict.points == Decimal(3)
    traced = [b for b in verdict.violations if b.seen == "trace"]
    assert {b.found for b in traced} == {"torch.nn.functional.softmax"}
    assert {(b.cell, b.line) for b in traced} == {(11, 7)}
    assert traced[0].points == Decimal(5)


def test_who_switches_the_trace_off_is_not_found_by_it(found: dict[str, Verdict]) -> None:
    # A limit, written down in the threat model: the notebook owns the process that traces it.
    verdict = found["threads"]
    assert verdict.points == Decimal(8)
    assert not [b for b in verdict.violations if b.seen != "source"]


def test_what_the_suite_itself_runs_in_the_box_breaks_no_rule(classroom: Classroom) -> None:
    hidden = HIDDEN.replace(
        "    assert_close(student.softmax(x), reference.softmax(x))",
        "    def both(softmax, x):\n        return softmax(x), torch.softmax(x, 1)\n\n"
        "    mine, theirs = student.run(both, student.softmax, x)\n"
        "    assert_close(mine, theirs)",
    )
    classroom.change(spec=spec(SOFTMAX), hidden=hidden)
    hand_in(classroom, "honest", "pass")
    verdict = run(classroom)["honest"]
    assert verdict.points == Decimal(8), verdict.tests
    assert not verdict.violations


def test_a_rule_that_names_nothing_is_refused_before_the_first_submission(
    classroom: Classroom,
) -> None:
    rules = SOFTMAX.replace("functional.softmax", "functional.sofmax").replace(
        '["softmax"]', '["soft"]'
    )
    classroom.change(spec=spec(rules))
    hand_in(classroom, "library", LIBRARY)
    with pytest.raises(SpecError) as error:
        run(classroom)
    assert "questions[0].rules.forbid[0]" in error.value.what
    assert "did you mean softmax?" in error.value.what
    assert "questions[0].rules.names[0]: the reference defines no 'soft'" in error.value.what


def passed(name: str) -> TestResult:
    points = Decimal(1)
    return TestResult(
        name=name, question="q1", points=points, max_points=points, outcome=TestOutcome.PASSED
    )


def test_a_source_that_takes_too_long_to_read_costs_nothing_and_is_shown_to_a_person() -> None:
    book = book_of(Rules(forbid=(NAME,)))
    many = "\n".join(f"a{i} = a{i - 1} or b{i}" for i in range(40_000))
    held = enforce(book, [f"{many}\n"] * 7, [passed("test")], {"test": Evidence()}, reading_s=1)
    assert [r.points for r in held.results] == [Decimal(1)]
    assert any(b.unclear and not b.charges for b in held.violations)

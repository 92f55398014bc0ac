"""What the marks say, and what is wrong with a suite before the first mark is given."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.course.spec import AssignmentSpec, Question
from grader.errors import SuiteError
from grader.suite.plan_checks import check_notebooks, check_plan
from grader.suite.points import PlannedTest, SuitePlan
from tests.suite.workbench import Workbench


def spec(**points: int) -> AssignmentSpec:
    questions = tuple(Question(id=q, title=q, points=Decimal(n)) for q, n in points.items())
    return AssignmentSpec(title="x", points=Decimal(sum(points.values())), questions=questions)


def test_cases_share_the_points_of_their_test_exactly(bench: Workbench) -> None:
    bench.suite(
        """
        @pytest.mark.points(1)
        @pytest.mark.parametrize("n", [1, 2, 3])
        def test_a(student, n): pass
        """
    )
    plan = bench.plan()
    assert [test.max_points for test in plan.tests] == [
        Decimal("0.34"),
        Decimal("0.33"),
        Decimal("0.33"),
    ]
    assert plan.max_points == 1
    assert check_plan(plan, spec(q1=1)) == []


def test_case_with_points_of_its_own_keeps_them(bench: Workbench) -> None:
    bench.suite(
        """
        @pytest.mark.points(2)
        @pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.points(0.5))])
        def test_a(student, n): pass
        """
    )
    assert [str(test.max_points) for test in bench.plan().tests] == ["1.00", "1.00", "0.50"]


def test_question_comes_from_mark_class_module_or_file(bench: Workbench) -> None:
    bench.suite(
        """
        pytestmark = pytest.mark.question("q3")
        def test_module(student): pass
        @pytest.mark.question("q4")
        def test_mark(student): pass
        """,
        "test_marked.py",
    )
    bench.suite(
        """
        class TestQ2Softmax:
            def test_class(self, student): pass
        def test_file(student): pass
        """,
        "test_q1_softmax.py",
    )
    bench.suite("def test_none(student): pass\n", "test_quick.py")
    found = {test.function: test.question for test in bench.plan().tests}
    assert found == {
        "test_module": "q3",
        "test_mark": "q4",
        "TestQ2Softmax::test_class": "q2",
        "test_file": "q1",
        "test_none": "",
    }


def test_tests_of_one_name_in_two_files_are_told_apart(bench: Workbench) -> None:
    bench.suite("def test_a(student): pass\n", "test_q1.py")
    bench.suite("def test_a(student): pass\n", "test_q2.py")
    names = [test.name for test in bench.plan().tests]
    assert names == ["test_q1.py::test_a", "test_q2.py::test_a"]


def test_points_that_do_not_add_up_are_said_with_both_numbers(bench: Workbench) -> None:
    bench.suite("@pytest.mark.points(2)\ndef test_a(student): pass\n")
    assert check_plan(bench.plan(), spec(q1=3, q2=1)) == [
        "question q1: its tests add up to 2 points, the spec says 3",
        "question q2: its tests add up to 0 points, the spec says 1",
    ]


def test_test_without_points_is_a_fault_of_a_hidden_suite_only(bench: Workbench) -> None:
    bench.suite("@pytest.mark.parametrize('n', [1, 2])\ndef test_a(student, n): pass\n")
    (fault, _) = check_plan(bench.plan(), spec(q1=1))
    assert fault == "test_q1.py:3: test_a[1] has no points; give it @pytest.mark.points(n)"
    assert check_plan(bench.plan(), spec(q1=1), graded=False) == []


def test_unknown_question_is_said_with_the_nearest(bench: Workbench) -> None:
    bench.suite("@pytest.mark.points(1)\n@pytest.mark.question('q11')\ndef test_a(student): pass\n")
    assert (
        "question q11, which the spec does not have (did you mean q1?)"
        in (check_plan(bench.plan(), spec(q1=1))[0])
    )


def test_test_of_no_question_is_a_fault(bench: Workbench) -> None:
    bench.suite("@pytest.mark.points(1)\ndef test_a(student): pass\n", "test_things.py")
    assert "belongs to no question" in check_plan(bench.plan(), spec(q1=1))[0]


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("points('many')", "points('many'): expected one number"),
        ("points(-1)", "expected one number"),
        ("points(float('nan'))", "expected one number"),
        ("points(float('inf'))", "expected one number"),
        ("points(0.001)", "in hundredths"),
        ("points()", "expected one number"),
        ("points(True)", "expected one number"),
        ("question(2)", "expected the id of a question"),
        ("shows('later')", 'expected "always", "after_due" or "never"'),
        ("trials(3, need=4)", "1 <= k <= n"),
        ("trials(0)", "1 <= k <= n"),
        ("trials(3, needs=2)", "1 <= k <= n"),
        ("needs()", "expected names of tests"),
        ("needs('test_b')", "needs test_b, which the suite does not have"),
        ("needs('test_a')", "in a circle: test_a → test_a"),
        ("point(2)", "'point' not found in `markers`"),
    ],
)
def test_mark_that_makes_no_sense_is_refused_before_the_first_mark(
    bench: Workbench, mark: str, words: str
) -> None:
    bench.suite(f"@pytest.mark.{mark}\ndef test_a(student): pass\n")
    with pytest.raises(SuiteError) as error:
        bench.judge("")
    assert words in str(error.value)
    assert "test_q1.py" in str(error.value) or "circle" in str(error.value)


def test_trials_need_a_majority_unless_told(bench: Workbench) -> None:
    bench.suite("@pytest.mark.trials(5)\ndef test_a(student): pass\n")
    (test,) = bench.plan().tests
    assert (test.trials, test.trials_needed) == (5, 3)


def test_shows_is_read(bench: Workbench) -> None:
    bench.suite("@pytest.mark.shows('after_due')\ndef test_a(student): pass\n")
    assert bench.plan().tests[0].shows == "after_due"


def test_a_suite_whose_files_hold_no_test_is_refused(bench: Workbench) -> None:
    bench.suite("x = 1\n")
    with pytest.raises(SuiteError, match="no tests"):
        bench.judge("")


def test_a_suite_without_a_file_gives_nothing_for_all_may_be_marked_by_hand(
    bench: Workbench,
) -> None:
    assert bench.judge("") == {}


def test_import_error_is_refused_with_file_and_line(bench: Workbench) -> None:
    bench.suite("def test_a(student): pass\n\nimport no_such_module\n")
    with pytest.raises(SuiteError) as error:
        bench.judge("")
    assert "No module named 'no_such_module'" in error.value.what
    assert str(error.value.where) == f"{bench.folder}/test_q1.py:5"


def test_syntax_error_is_refused_with_file_and_line(bench: Workbench) -> None:
    bench.suite("def test_a(student: pass\n")
    with pytest.raises(SuiteError) as error:
        bench.judge("")
    assert "SyntaxError" in error.value.what
    assert str(error.value.where) == f"{bench.folder}/test_q1.py:3"


def test_broken_conftest_is_refused(bench: Workbench) -> None:
    bench.suite("def test_a(student): pass\n")
    bench.suite("raise RuntimeError('conftest is broken')\n", "conftest.py")
    with pytest.raises(SuiteError) as error:
        bench.judge("")
    assert "conftest is broken" in str(error.value)
    assert "conftest.py:3" in str(error.value.where)


def test_unknown_fixture_is_refused_before_the_first_mark(bench: Workbench) -> None:
    bench.suite("def test_a(studnet): pass\n")
    with pytest.raises(SuiteError, match="fixture studnet, which the suite does not have"):
        bench.judge("")


def test_public_suite_that_asks_for_the_reference_is_refused(bench: Workbench) -> None:
    bench.suite("def test_a(student, reference): pass\n")
    with pytest.raises(SuiteError, match="asks for the reference"):
        bench.judge("")


def test_reference_that_cannot_be_imported_is_refused_with_its_line(bench: Workbench) -> None:
    bench.suite("def test_a(student): pass\n")
    bench.solution("x = 1\nraise ValueError('boom')\n")
    with pytest.raises(SuiteError) as error:
        bench.judge("")
    assert "ValueError: boom" in error.value.what
    assert str(error.value.where).endswith("solution.py:2")


def test_reference_is_there_and_its_functions_work(bench: Workbench) -> None:
    bench.suite("def test_a(student, reference): assert student.x == reference.answer()\n")
    bench.solution("def answer(): return 42\n")
    assert bench.judge_one("x = 42").outcome.value == "passed"


def test_conftest_and_helpers_of_the_suite_count_and_configuration_above_does_not(
    bench: Workbench,
) -> None:
    (bench.folder.parent / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (bench.folder.parent / "conftest.py").write_text("raise RuntimeError('from above')\n")
    bench.suite("@pytest.fixture\ndef two(): return 2\n", "conftest.py")
    bench.suite("THREE = 3\n", "helpers_of_q1.py")
    bench.suite("from helpers_of_q1 import THREE\ndef test_a(student, two): assert two < THREE\n")
    assert bench.judge_one("").outcome.value == "passed"


def test_suite_of_the_same_file_names_is_not_mistaken_for_the_last_one(
    bench: Workbench, tmp_path: object
) -> None:
    bench.suite("def test_a(student): assert 0\n")
    assert bench.judge_one("").outcome.value == "failed"
    bench.suite("def test_a(student): assert 1\n")
    assert bench.judge_one("").outcome.value == "passed"


def test_collecting_leaves_nothing_beside_the_suite(bench: Workbench) -> None:
    bench.suite("def test_a(student): pass\n")
    bench.solution("x = 1\n")
    bench.judge("")
    assert sorted(path.name for path in bench.folder.parent.rglob("*")) == [
        "hidden",
        "solution.py",
        "test_q1.py",
    ]


def test_what_on_ready_raises_goes_through(bench: Workbench) -> None:
    bench.suite("def test_a(student): pass\n")

    def stop(_: object) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        bench.collect(stop)


def test_a_test_can_t_need_one_of_another_notebook() -> None:
    def planned(name: str, question: str, *needs: str) -> PlannedTest:
        return PlannedTest(
            name=name, nodeid=name, function=name, question=question, needs=needs, where=name
        )

    tests = (planned("test_a", "q1"), planned("test_b", "q2", "test_a"))
    notebooks = {"first": ["q1"], "second": ["q2"]}
    (fault,) = check_notebooks(SuitePlan(tests), notebooks)
    assert "test_b, of the notebook second, needs test_a, of first" in fault
    assert check_notebooks(SuitePlan(tests), {"both": ["q1", "q2"]}) == []

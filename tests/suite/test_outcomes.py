"""Every way in which a test can end, and what the student and the instructor read of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.errors import InfrastructureError
from grader.suite.account import Account
from grader.suite.outcomes import BROKEN, MAX_DETAILS, MAX_MESSAGE
from grader.suite.results import TestOutcome
from tests.suite.workbench import Workbench

DOUBLE = """
    @pytest.mark.points(2)
    def test_double(student):
        '''double(x) must be twice x.

        Further text that is no title.
        '''
        x = torch.randn(2, 3)
        assert_close(student.double(x), 2 * x)
    """


def test_right_code_gets_the_points(bench: Workbench) -> None:
    bench.suite(DOUBLE)
    result = bench.judge_one("def double(x): return x + x")
    assert result.outcome is TestOutcome.PASSED
    assert (result.points, result.max_points) == (Decimal(2), Decimal(2))
    assert result.question == "q1"
    assert result.title == "double(x) must be twice x."
    assert (result.message, result.details, result.traceback) == ("", "", "")


def test_wrong_code_fails_and_the_student_reads_no_value(bench: Workbench) -> None:
    bench.suite(DOUBLE)
    result = bench.judge_one("def double(x): return x")
    assert result.outcome is TestOutcome.FAILED
    assert result.points == 0
    assert result.message == "This check failed."
    assert "test_q1.py:" in result.details
    assert "Tensor-likes are not close" in result.details


def test_wrong_shape_says_no_more_than_that_it_failed(bench: Workbench) -> None:
    bench.suite(DOUBLE)
    assert bench.judge_one("def double(x): return x[0]").message == "This check failed."


def test_shows_details_shows_the_assertion(bench: Workbench) -> None:
    bench.suite(
        """
        @pytest.mark.shows_details
        def test_answer(student):
            assert student.answer == 42
        """
    )
    result = bench.judge_one("answer = 41")
    assert result.shows_details
    assert "assert 41 == 42" in result.message


def test_exception_of_student_code_is_a_student_error_with_cell_and_line(bench: Workbench) -> None:
    bench.suite(DOUBLE)
    result = bench.judge_one("\ndef double(x):\n    raise ValueError('bad shape')\n")
    assert result.outcome is TestOutcome.STUDENT_ERROR
    assert result.message == "Your code raised ValueError: bad shape"
    assert result.traceback.splitlines() == [
        "Traceback (most recent call last):",
        "  cell 1, line 3, in double",
        "ValueError: bad shape",
    ]


def test_missing_name_is_said_with_near_names(bench: Workbench) -> None:
    bench.suite(DOUBLE)
    result = bench.judge_one("def duoble(x): return x")
    assert result.outcome is TestOutcome.STUDENT_ERROR
    assert result.message == "The notebook does not define double. It defines duoble."


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ("raise Slow", TestOutcome.TIMEOUT, "ran longer than 10 s"),
        ("raise BoxTimeout('it hung')", TestOutcome.TIMEOUT, "ran out of time: it hung."),
        ("raise BoxOutOfMemory('it took 2 GB')", TestOutcome.OUT_OF_MEMORY, "more memory"),
        ("raise BoxCrashed('signal 11')", TestOutcome.CRASHED, "signal 11"),
        ("raise BoxOutputLimit('9 MB')", TestOutcome.OUTPUT_LIMIT, "9 MB"),
    ],
)
def test_call_that_ends_badly_has_its_own_outcome(
    bench: Workbench, body: str, outcome: TestOutcome, words: str
) -> None:
    bench.suite(DOUBLE)
    result = bench.judge_one(f"from grader.errors import *\ndef double(x): {body}")
    assert result.outcome is outcome
    assert words in result.message
    assert result.points == 0


def test_infrastructure_error_is_never_a_mark(bench: Workbench) -> None:
    bench.suite(DOUBLE)
    with pytest.raises(InfrastructureError, match="engine is gone"):
        bench.judge(
            "from grader.errors import *\n"
            "def double(x): raise InfrastructureError('the engine is gone')"
        )


def test_infrastructure_error_that_a_suite_swallows_is_never_a_mark(bench: Workbench) -> None:
    bench.suite(
        """
        def test_raises(student):
            with pytest.raises(Exception):
                student.f()
        """
    )
    with pytest.raises(InfrastructureError):
        bench.judge("from grader.errors import *\ndef f(): raise InfrastructureError('gone')")


def test_crash_that_a_suite_swallows_earns_nothing(bench: Workbench) -> None:
    bench.suite(
        """
        @pytest.mark.points(1)
        def test_raises(student):
            with pytest.raises(Exception):
                student.f()
        """
    )
    result = bench.judge_one("from grader.errors import *\ndef f(): raise BoxCrashed('exit 0')")
    assert (result.outcome, result.points) == (TestOutcome.CRASHED, 0)


def test_odd_value_that_breaks_the_check_fails_by_type_name_only(bench: Workbench) -> None:
    bench.suite(
        """
        def test_sum(student):
            secret = 4711
            assert student.value + secret == secret + 1
        """
    )
    result = bench.judge_one("value = 'one'")
    assert result.outcome is TestOutcome.FAILED
    assert result.message == "The check could not use what your code returned: TypeError."


def test_skip_in_the_suite_is_not_run_with_its_reason(bench: Workbench) -> None:
    bench.suite("def test_gpu(student):\n    pytest.skip('needs a GPU')\n")
    result = bench.judge_one("")
    assert (result.outcome, result.message) == (TestOutcome.NOT_RUN, "Not run: needs a GPU")


def test_skip_raised_by_student_code_is_a_student_error(bench: Workbench) -> None:
    bench.suite("def test_f(student):\n    student.f()\n")
    result = bench.judge_one("import unittest\ndef f(): raise unittest.SkipTest('no')")
    assert result.outcome is TestOutcome.STUDENT_ERROR


def test_fixture_of_the_suite_that_meets_a_student_error_says_so(bench: Workbench) -> None:
    bench.suite(
        """
        @pytest.fixture(scope="module")
        def model(student):
            return student.Model()
        def test_one(model): pass
        def test_two(model): pass
        """
    )
    results = bench.judge("def Model(): raise RuntimeError('no')")
    assert [r.outcome for r in results.values()] == [TestOutcome.STUDENT_ERROR] * 2


def test_broken_check_says_that_it_is_not_the_students_doing(bench: Workbench) -> None:
    bench.suite("def test_f(student):\n    student.f(object())\n")
    result = bench.judge_one("def f(x): return x")
    assert result.outcome is TestOutcome.SUITE_ERROR
    assert "not your work" in result.message
    assert "builtins.object can't be sent" in result.details


@pytest.mark.parametrize(
    "line",
    [
        "oops",
        "import no_such_module",
        "torch.no_such_function(student.x)",
        "raise OSError(28, 'No space left on device')",
    ],
)
def test_what_no_value_can_cause_is_the_suites_own_fault(bench: Workbench, line: str) -> None:
    bench.suite(
        f"""
        @pytest.mark.shows_details
        def test_f(student):
            {line}
        """
    )
    result = bench.judge_one("x = 1")
    assert result.outcome is TestOutcome.SUITE_ERROR
    assert result.message == BROKEN  # the student reads nothing of ours
    assert not result.shows_details
    assert result.details.startswith("test_q1.py:")


@pytest.mark.parametrize(
    ("line", "doubtful"),
    [
        ("{}['oops']", True),
        ("pytest.skip('no GPU')", True),
        ("reference.fails()", True),
        ("reference.disagrees()", True),
        ("student.mispelt", True),
        ("student.only_in_the_reference", False),
        ("student.raises()", False),
        ("assert student.x == 2", False),
        ("assert student.x == 1", False),
    ],
)
def test_what_a_value_may_have_caused_is_left_to_the_reference(
    bench: Workbench, line: str, doubtful: bool
) -> None:
    bench.solution(
        "only_in_the_reference = 1\ndef fails(): {}['oops']\ndef disagrees(): assert False\n"
    )
    bench.suite(f"def test_f(student, reference):\n    {line}\n")
    accounts: list[Account] = []
    bench.judge_one(
        "x = 1\ndef raises(): {}['no']", on_result=lambda _, account: accounts.append(account)
    )
    assert [account.doubtful for account in accounts] == [doubtful]


def test_one_trial_that_the_suite_spoils_spoils_the_test(bench: Workbench) -> None:
    bench.suite(
        """
        tries = []
        @pytest.mark.trials(3, need=2)
        def test_f(student):
            tries.append(1)
            if len(tries) == 1:
                oops
            assert len(tries) == 2
        """
    )
    assert bench.judge_one("").outcome is TestOutcome.SUITE_ERROR


def test_what_came_is_named_as_a_student_would(bench: Workbench) -> None:
    bench.suite(
        """
        def test_f(student):
            student.f(1)
            student.pair
            student.Model().weight
            student.run(send, student.Model())
        def send(model):
            return model.weight
        """
    )
    accounts: list[Account] = []
    bench.judge_one(
        "class Model:\n    weight = torch.ones(2)\n"
        "def f(x): return np.ones(2)\npair = (1.5, 'a')\n",
        on_result=lambda _, account: accounts.append(account),
    )
    assert [(r.asked, r.kind) for r in accounts[0].received] == [
        ("f", "a function"),
        ("f(…)", "a numpy array"),
        ("pair", "a tuple (a number, text)"),
        ("Model", "a class"),
        ("Model(…)", "an object of the class Model"),
        ("Model(…).weight", "a tensor"),
        ("Model", "a class"),
        ("Model(…)", "an object of the class Model"),
        ("", "a tensor"),
    ]


def test_system_exit_of_the_suite_is_a_failed_check(bench: Workbench) -> None:
    bench.suite("def test_f(student):\n    raise SystemExit(0)\n")
    assert bench.judge_one("").outcome is TestOutcome.FAILED


def test_long_texts_are_cut(bench: Workbench) -> None:
    bench.suite(
        "def test_a(student):\n    student.f()\ndef test_b(student):\n    assert 0, 'x' * 10**6\n"
    )
    results = bench.judge("def f(): raise ValueError('y' * 10**6)")
    assert len(results["test_a"].message) <= MAX_MESSAGE
    assert len(results["test_b"].details) <= MAX_DETAILS


def test_hints_are_shown_when_the_test_fails_and_only_then(bench: Workbench) -> None:
    bench.suite(
        """
        from grader.suite.hints import hint
        def test_a(student):
            hint("Look at dim."); hint("Look at dim.")
            assert student.value == 1
        def test_b(student):
            hint("Look elsewhere.")
            assert student.value == 2
        """
    )
    results = bench.judge("value = 2")
    assert results["test_a"].hints == ("Look at dim.",)
    assert results["test_b"].hints == ()


def test_what_a_suite_prints_reaches_nobody(
    bench: Workbench, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.suite("print('SECRET 1')\ndef test_a(student):\n    print('SECRET 2')\n    assert 0\n")
    bench.judge("")
    assert "SECRET" not in "".join(capfd.readouterr())

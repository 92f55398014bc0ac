"""What is worth a look after a batch, and who is behind it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from grader.gradebook.standings import Standing, class_marks
from grader.grading.verdict import Verdict
from grader.intake.answers import AnswerPlace, AnswerPosition
from grader.report.cases import join_cases
from grader.report.overview import OverviewLine, findings
from grader.suite.results import TestOutcome
from tests.helpers.verdicts import SPEC, broken, graded, invalid, spoilt, test_result


def found(
    verdicts: list[Verdict], standings: dict[str, Standing] | None = None
) -> dict[str, OverviewLine]:
    standings = standings or {}
    marks = class_marks(verdicts, standings, {})
    told = findings(verdicts, spec=SPEC, standings=standings, marks=marks)
    return {finding.kind: finding for finding in told}


def taken(student: str, *points: int, **more: Any) -> Verdict:
    """A submission with tests t0, t1, … of two points each."""
    tests = tuple(
        test_result("q1", f"t{i}", f"Title {i}.", 2, points=Decimal(p),
                    outcome=TestOutcome.PASSED if p == 2 else TestOutcome.FAILED)
        for i, p in enumerate(points)
    )  # fmt: skip
    return graded(student, tests=tests, points=Decimal(sum(points)), **more)


def test_tests_that_all_fail_most_fail_and_all_pass_are_told_with_names() -> None:
    verdicts = [taken(f"s{i}", 0, 2 if i < 2 else 0, 2) for i in range(7)]
    told = found(verdicts)
    assert told["failed_by_all"].text == "nobody passes q1 “Title 0.”"
    assert told["failed_by_all"].grave and len(told["failed_by_all"].students) == 7
    assert told["mostly_failed"].text == "5 of 7 miss q1 “Title 1.”"
    assert told["mostly_failed"].students == ("s2", "s3", "s4", "s5", "s6")
    assert told["passed_by_all"].text == "1 test is passed by everybody, and so separates nobody"
    assert told["passed_by_all"].tests == ("t2",)


def test_of_a_few_submissions_no_test_is_judged() -> None:
    told = found([taken("a", 0, 2), taken("b", 0, 2)])
    assert not {"failed_by_all", "passed_by_all", "mostly_failed"} & told.keys()


def test_a_test_that_strong_notebooks_miss_does_not_separate() -> None:
    verdicts = [taken(f"s{i}", *((0, 2, 2) if i % 2 else (2, 0, 0))) for i in range(12)]
    told = found(verdicts)["does_not_separate"]
    assert told.text.endswith("strong notebooks miss it more often than weak ones")


def test_modules_a_gpu_and_limits_are_counted_in_notebooks() -> None:
    verdicts = [
        graded("a", missing_modules=("pandas",), notes=("cell 3 stopped at `x.cuda()`, which needs "
                                                        "a GPU; there is none here",)),
        graded("b", missing_modules=("pandas", "timm"),
               notes=("cell 4 ran longer than 20 s and was stopped",)),
        graded("c"),
    ]  # fmt: skip
    told = found(verdicts)
    text = "2 of 3 notebooks import `pandas`, which is not installed"
    assert any(f.text == text and f.students == ("a", "b") for f in _all(verdicts))
    assert told["needs_gpu"].students == ("a",) and told["time_limit"].students == ("b",)
    assert told["needs_gpu"].text == "1 of 3 notebooks requests a GPU, and there is none"
    assert told["missing_module"].text == "1 of 3 notebooks imports `timm`, which is not installed"


def test_a_module_that_students_handed_in_is_told_apart_from_one_that_no_library_gives() -> None:
    note = "`utils.py` was handed in with the notebook but not requested, and not used."
    verdicts = [graded(s, missing_modules=("utils",), notes=(note,)) for s in "ab"]
    said = "notebooks import `utils`, which was handed in, but not requested ([handin] files)"
    assert found([*verdicts, graded("c")])["missing_module"].text == f"2 of 3 {said}"
    # One of them has it from elsewhere, or forgot it.
    verdicts.append(graded("c", missing_modules=("utils",)))
    assert found(verdicts)["missing_module"].text.endswith("which is not installed")


def _all(verdicts: list[Verdict]) -> list[OverviewLine]:
    return findings(verdicts, spec=SPEC, standings={}, marks={})


def test_what_is_broken_stands_first_and_a_class_in_order_says_little() -> None:
    told = _all([graded("a"), broken("b"), invalid("c"), spoilt("d")])
    assert [f.kind for f in told[:2]] == ["suite_error", "not_graded"]
    assert [f.students for f in told[:2]] == [("d",), ("b",)]
    assert "unreadable" in {f.kind for f in told}
    assert _all([graded("a")]) == []


def test_people_are_told_by_how_they_stand() -> None:
    at = dt.datetime(2024, 10, 1, tzinfo=dt.UTC)
    told = found(
        [graded("a"), graded("b"), graded("c")],
        {
            "a": Standing(late="1 day late: 20 % off", handed_in=at),
            "b": Standing(on_roster=False),
            "c": Standing(late="9 days late", refused=True, extended=True, handed_in=at),
            "d": Standing(absent=True, overdue=True),
            "e": Standing(absent=True, excused=True, overdue=True),
        },
    )  # fmt: skip
    said = {kind: (finding.text, finding.students) for kind, finding in told.items()}
    assert said["late"] == ("1 late", ("a",))
    assert said["too_late"][1] == ("c",) == said["extended"][1]
    assert said["not_on_roster"] == ("1 not on the roster", ("b",))
    assert said["without_time"] == ("1 of 3 without a hand-in time: never late", ("b",))
    assert said["not_handed_in"] == ("1 not handed in", ("d",))
    assert said["excused"][1] == ("e",)
    assert said["waits_for_marks"][0].startswith("6 answers wait for a person to mark them")


def test_cases_of_a_parametrized_test_are_one_test() -> None:
    cases = [
        test_result("q1", f"test_sum[{n}]", "Sums.", 2, points=Decimal(p),
                    outcome=TestOutcome.PASSED if p == 2 else TestOutcome.FAILED)
        for n, p in enumerate((2, 2, 0))
    ]  # fmt: skip
    other = test_result("q1", "test_mean", "Means.", 1)
    sums, mean = join_cases([*cases, other])
    assert (sums.name, sums.words) == ("test_sum", "3 cases: 2 passed, 1 failed")
    assert (sums.points, sums.max_points, sums.passed, sums.partly) == (4, 6, False, True)
    assert mean.words == "passed" and mean.cases == (other,)
    verdict = msgspec.structs.replace(graded("a"), tests=(*cases, other))
    statistics = [t for t in _statistics([verdict]) if t.name == "test_sum"]
    assert len(statistics) == 1 and statistics[0].cases == 3
    assert [m.case for m in statistics[0].missed] == ["test_sum[2]"]


def _statistics(verdicts: list[Verdict]) -> Any:
    from grader.report.statistics import class_statistics

    return class_statistics(verdicts, Decimal(60)).tests


def test_answers_that_were_not_touched_are_told_by_question() -> None:
    places = {"q7": AnswerPlace(place=AnswerPosition.UNTOUCHED)}
    written = {"q7": AnswerPlace(place=AnswerPosition.MARKED)}
    told = found([taken("a", 2, answer_places=places), taken("b", 2, answer_places=written)])[
        "untouched"
    ]
    assert told.text == "1 left the answer to q7 as it was handed out"
    assert told.students == ("a",)

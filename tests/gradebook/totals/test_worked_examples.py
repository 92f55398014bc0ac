"""One student of each course that ships, worked out by hand, number by number."""

from __future__ import annotations

from decimal import Decimal

from grader.gradebook.totals.total_lines import State
from tests.gradebook.totals.courses import Given, adds, line, shipped, total_of


def decimals(**numbers: str) -> dict[str, Decimal]:
    return {name.replace("_", "-"): Decimal(number) for name, number in numbers.items()}


def test_koc_comp541() -> None:
    course = shipped("koc-comp541", {"percent_per_day": ["20"], "pass_mark": ["50", "50"]})
    total = total_of(
        course,
        {
            "quiz-theory": (80, "2024-10-09T23:59:00"),
            "quiz-programming": 60,
            "a1": (54, "2024-10-31T23:00:00"),  # of 60, due on 30 October: 1 day late
            "a2": (60, "2024-11-20T10:00:00"),  # of 80, due on 13 November: 7 days late
            "a3": (92, "2024-11-29T08:00:00"),  # of 92, due on 27 November: 2 days late
            "a4": (40, "2024-12-18T23:59:00"),  # of 80, in the last minute
            "midterm": "71.5",
            "proposal": 90,
            "progress-presentation": 80,
            "progress-report": 75,
            "final-presentation": 85,
            "final-report": 88,
            "quality": 70,
            "paper-presentations": 95,
            "paper-reviews": 60,
            "participation": 100,
        },
    )
    # Ten days late and seven of grace. A day on a1 is worth 0.2 x 54/60 x 5 = 0.90 percent, one on
    # a3 0.2 x 5 = 1.00. On a2 it is 0.2 x 60/80 x 5 = 0.75, but the first two bring nothing: five
    # days cost everything already. So a3 gets 2, a1 gets 1 and a2 the other 4, and loses 60 %.
    assert [line(total, a).grace_days for a in ("a1", "a2", "a3", "a4")] == [1, 4, 2, 0]
    assert line(total, "a2").percent_off == 60
    assert line(total, "a2").earned == 24
    assert (total.grace_used, total.grace_left) == (7, 0)
    assert adds(total) == decimals(
        quiz="1.4",  # (80 + 60) / 200 x 2
        assignments="13.5",  # 54/60 x 5 + 24/80 x 5 + 92/92 x 5 + 40/80 x 5 = 4.5 + 1.5 + 5 + 2.5
        midterm="12.155",  # 0.715 x 17
        project="29.66",  # 1.80 + 3.20 + 4.50 + 6.80 + 10.56 + 2.80
        paper_presentations="9.5",
        paper_reviews="3",
        participation="10",
    )
    # 79.215 lies exactly between two hundredths.
    assert total.total == Decimal("79.22")
    assert total.failed == ()


def test_koc_comp541_without_the_quiz_is_failed() -> None:
    course = shipped("koc-comp541", {"percent_per_day": ["20"], "pass_mark": ["50", "50"]})
    total = total_of(course, {"quiz-theory": 80, "midterm": 100})
    assert total.failed == ("Self-assessment quiz, programming",)


def test_sutd_50039() -> None:
    course = shipped("sutd-50039", {"weight": ["30", "40", "30"], "due": ["2025-04-25T18:00:00"]})
    given: dict[str, Given] = {"midterm": "62.5", "final": "71.25"}
    total = total_of(course, {**given, "project": (88, "2025-04-25T18:00:00")})
    assert adds(total) == decimals(midterm="18.75", final="28.5", project="26.4")
    assert total.total == Decimal("73.65")
    # One second later it is not accepted.
    late = total_of(course, {**given, "project": (88, "2025-04-25T18:00:01")})
    assert late.total == Decimal("47.25")


def test_ntu_ce7454() -> None:
    course = shipped("ntu-ce7454")
    total = total_of(
        course,
        {
            "quiz": 84,
            "project1": "85.5",  # 24.5 + 16 + 27 + 18 of 30 + 20 + 30 + 20
            "project2": "82.5",  # 20 + 22.5 + 19 + 21 of 25 each
            "presentation": 82,  # 16 + 18 + 15 + 33 of 20 + 20 + 20 + 40
        },
    )
    assert adds(total) == decimals(quiz="16.8", project1="25.65", project2="33", presentation="8.2")
    assert total.total == Decimal("83.65")


def test_umn_dl() -> None:
    course = shipped("umn-dl")
    total = total_of(
        course,
        {
            "hw1": 54,  # of 60: 0.90
            "hw2": 60,  # of 80: 0.75
            "hw3": 69,  # of 92: 0.75, as good as hw2, which was first
            "hw4": 80,  # of 80: 1
            "hw5": "70.52",  # of 86: 0.82
            "hw6": 40,
            "proposal": 80,
            "midterm-presentation": 90,
            "final-report": 88,
        },
    )
    dropped = [i.item for i in total.items if i.state is State.DROPPED]
    assert dropped == ["hw3", "hw6"]
    # (0.90 + 0.75 + 1 + 0.82) / 4 x 60 = 52.05, and 4 + 9 + 22 = 35
    assert adds(total) == decimals(homework="52.05", project="35")
    assert total.total == Decimal("87.05")


def test_iith_dl() -> None:
    course = shipped("iith-dl")
    total = total_of(
        course,
        {
            "a1": 45,  # of 60: 0.75
            "a2": 72,  # of 80: 0.90
            "a3": 46,  # of 92: 0.50, the lowest
            "a4": 64,  # of 80: 0.80
            "a5": "52.8",  # of 80: 0.66
            "project": 81,
            "exam": 67,
            "tests": "72.5",
        },
    )
    assert [i.item for i in total.items if i.state is State.DROPPED] == ["a3"]
    # (0.75 + 0.90 + 0.80 + 0.66) / 4 x 40 = 31.1
    assert adds(total) == decimals(assignments="31.1", project="24.3", exam="13.4", tests="7.25")
    assert total.total == Decimal("76.05")

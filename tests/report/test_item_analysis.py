"""What each question of an assignment tells of a class."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.report.charts import fifths_svg
from grader.report.item_analysis import LEAST, Scored, item_analysis
from tests.helpers.verdicts import SPEC


def scored(number: int, **points: int) -> Scored:
    return Scored(student=f"s{number:02}", points={q: Decimal(p) for q, p in points.items()})


def test_a_question_separates_as_its_points_go_with_those_of_all_others() -> None:
    q1, q2, *_ = item_analysis(
        SPEC, [scored(1, q1=8, q2=6), scored(2, q1=4, q2=3), scored(3, q1=0, q2=0)]
    )
    assert q1.discrimination == pytest.approx(1.0)
    assert (q1.mean, q1.median, q1.marked) == (4.0, 4.0, 3)
    assert q1.share == pytest.approx(0.5)
    other, *_ = item_analysis(
        SPEC, [scored(1, q1=8, q2=0), scored(2, q1=4, q2=3), scored(3, q1=0, q2=6)]
    )
    assert other.discrimination == pytest.approx(-1.0)
    assert q2.max_points == 6


def test_what_never_varies_or_has_few_marks_separates_nobody() -> None:
    q1, *_ = item_analysis(SPEC, [scored(n, q1=8, q2=n) for n in range(5)])
    assert q1.discrimination is None
    q1, *_ = item_analysis(SPEC, [scored(1, q1=8, q2=1), scored(2, q1=1, q2=6)])
    assert q1.discrimination is None


def test_a_question_that_waits_for_a_person_is_of_those_who_have_points_for_it() -> None:
    found = {q.question: q for q in item_analysis(SPEC, [scored(1, q1=8), scored(2, q1=4, q7=3)])}
    assert found["q7"].marked == 1 and found["q7"].mean == 3.0
    assert found["q8"].marked == 0
    assert found["q8"].mean is None and found["q8"].share is None


def test_a_class_is_divided_into_fifths_by_all_points_the_weakest_first() -> None:
    class_ = [scored(n, q1=8 * (n >= 5), q2=n % 7) for n in range(LEAST)]
    q1, *_ = item_analysis(SPEC, class_[::-1])
    assert q1.fifths == (0.0, 0.0, 0.5, 1.0, 1.0)
    few, *_ = item_analysis(SPEC, class_[1:])
    assert few.fifths == ()


def test_every_mark_is_in_a_questions_histogram_once() -> None:
    q1, *_ = item_analysis(SPEC, [scored(n, q1=n % 9) for n in range(50)])
    assert sum(q1.histogram.counts) == 50
    assert q1.histogram.edges[-1] == 8


def test_the_picture_of_fifths_says_what_it_shows_and_escapes_its_title() -> None:
    svg = fifths_svg([0.0, 0.25, 0.5, 0.75, 1.0], title="<b>q1</b>", name="q1-f")
    assert "From the weakest fifth to the strongest: 0 %, 25 %, 50 %, 75 %, 100 %." in svg
    assert "<b>" not in svg and 'id="q1-f-t"' in svg

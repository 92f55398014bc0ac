"""Who may see what, when, and what the points add up to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from grader.course.spec import Dates
from grader.report.marks import MarkSheet, mark_sheet
from tests.helpers.verdicts import AFTER_DUE, BEFORE_DUE, SPEC, graded, test_result


def sheet(audience: str = "student", now: dt.datetime = AFTER_DUE) -> MarkSheet:
    return mark_sheet(graded("Ada"), spec=SPEC, audience=audience, now=now)  # type: ignore[arg-type]


def names(sheet: MarkSheet) -> set[str]:
    return {t.name for q in sheet.questions for t in q.tests}


def test_an_instructor_sees_every_test_at_any_time() -> None:
    assert len(names(sheet("instructor", BEFORE_DUE))) == len(graded("Ada").tests)
    assert sheet("instructor", BEFORE_DUE).hidden == 0


def test_before_the_due_date_a_student_sees_only_what_shows_always() -> None:
    seen = sheet(now=BEFORE_DUE)
    assert not names(seen) & {"test_loss_gradient", "test_batches_cover_all"}
    assert (seen.hidden, seen.hidden_points) == (2, Decimal(12))


def test_points_of_tests_not_shown_yet_are_left_out_so_that_the_sum_tells_nothing() -> None:
    seen = sheet(now=BEFORE_DUE)
    assert (seen.points, seen.max_points, seen.withheld_points) == (40, 40, 12)
    softmax = next(q for q in seen.questions if q.id == "q3")
    assert (softmax.points, softmax.max_points, softmax.hidden) == (6, 6, 1)


def test_the_sum_before_the_due_date_is_the_same_whether_hidden_tests_pass_or_fail() -> None:
    right = graded("Ada")
    wrong = msgspec.structs.replace(
        right,
        points=right.points - 12,
        tests=tuple(
            t if t.shows == "always" else msgspec.structs.replace(t, points=Decimal(0))
            for t in right.tests
        ),
        questions=tuple(
            msgspec.structs.replace(q, points=Decimal(4)) if q.id in ("q3", "q5") else q
            for q in right.questions
        ),
    )
    sheets = [mark_sheet(v, spec=SPEC, audience="student", now=BEFORE_DUE) for v in (right, wrong)]
    assert sheets[0] == sheets[1]


def test_after_the_due_date_the_mark_is_whole_and_never_means_never() -> None:
    seen = sheet()
    assert (seen.points, seen.max_points, seen.complete) == (52, 52, True)
    assert "test_loss_gradient" in names(seen)
    assert "test_batches_cover_all" not in names(seen)
    assert (seen.hidden, seen.hidden_points) == (1, Decimal(6))


def test_without_a_due_date_tests_for_after_it_are_not_shown() -> None:
    spec = msgspec.structs.replace(SPEC, dates=Dates())
    seen = mark_sheet(graded("Ada"), spec=spec, audience="student", now=AFTER_DUE)
    assert "test_loss_gradient" not in names(seen)
    assert seen.points == 52


def test_a_due_date_without_a_zone_is_local() -> None:
    local = AFTER_DUE.astimezone().replace(tzinfo=None)
    spec = msgspec.structs.replace(SPEC, dates=Dates(due=local))
    before, after = (
        mark_sheet(graded("Ada"), spec=spec, audience="student", now=AFTER_DUE + shift)
        for shift in (-dt.timedelta(minutes=1), dt.timedelta(minutes=1))
    )
    assert (before.complete, after.complete) == (False, True)


def test_a_test_of_a_question_that_the_spec_lacks_is_still_listed() -> None:
    verdict = graded("Ada", tests=(test_result("extra", "test_x", "X", 2),))
    seen = mark_sheet(verdict, spec=SPEC, audience="student", now=AFTER_DUE)
    assert (seen.questions[-1].id, seen.questions[-1].max_points) == ("extra", 2)

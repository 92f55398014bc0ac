"""What each component weighs once excused items have left."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.gradebook.totals.courses import adds, course_of, mark, totals_of

COURSE = """
[[components]]
id = "work"
title = "Work"
weight = 40
[[components.items]]
id = "h1"
title = "One"
[[components.items]]
id = "h2"
title = "Two"
[[components]]
id = "exam"
title = "Exam"
weight = 60
[[components]]
id = "forum"
title = "Forum"
weight = 4
extra_credit = true
"""


def test_where_a_component_is_excused_the_others_make_it_good_and_extra_credit_stays() -> None:
    course = course_of(COURSE)
    excused = [mark(course, item, None, excused=True) for item in ("h1", "h2")]
    (total,) = totals_of(course, [*excused, mark(course, "exam", 50), mark(course, "forum", 100)])
    assert adds(total) == {"work": Decimal(0), "exam": Decimal(50), "forum": Decimal(4)}
    assert total.total == 54


def test_where_nothing_that_weighs_is_left_of_a_component_the_others_make_it_good() -> None:
    text = COURSE.replace('title = "One"', 'title = "One"\nweight = 40')
    course = course_of(text.replace('title = "Two"', 'title = "Two"\nweight = 0'))
    marks = [mark(course, "h1", None, excused=True), mark(course, "h2", 0)]
    (total,) = totals_of(course, [*marks, mark(course, "exam", 50), mark(course, "forum", 0)])
    assert adds(total) == {"work": Decimal(0), "exam": Decimal(50), "forum": Decimal(0)}
    assert total.total == 50


def test_an_excused_item_leaves_its_place_to_the_others_of_its_component() -> None:
    course = course_of(COURSE)
    marks = [mark(course, "h1", None, excused=True), mark(course, "h2", 50)]
    (total,) = totals_of(course, [*marks, mark(course, "exam", 100)])
    assert adds(total) == {"work": Decimal(20), "exam": Decimal(60), "forum": Decimal(0)}
    assert total.total == 80


def test_what_is_excused_for_one_of_a_class_weighs_the_same_for_all_others() -> None:
    course = course_of(COURSE)
    marks = []
    for student in ("ada", "ben", "cem"):
        excused = student == "ben"
        marks += [
            replace(mark(course, "h1", None if excused else 100, excused=excused), student=student),
            replace(mark(course, "h2", 50), student=student),
            replace(mark(course, "exam", 100), student=student),
        ]
    together = totals_of(course, marks)
    assert [total.total for total in together] == [90, 80, 90]
    alone = [totals_of(course, [m for m in marks if m.student == t.student]) for t in together]
    assert [total for (total,) in alone] == together

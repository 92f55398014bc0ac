"""All pages of the desk: the app is made of them, and the test of who may what walks them."""

from __future__ import annotations

from grader.desk.routing import AnyPage
from grader.desk.views import (
    analysis,
    appeals,
    course,
    exporting,
    files,
    groups,
    hand_in,
    leading,
    mail,
    marking,
    own_marks,
    people,
    publishing,
    queue,
    roster,
    rubrics,
    second_looks,
    settings,
    signing_in,
    students,
    tested,
    totals,
    tries,
    university,
    watching,
)

# Of two addresses that fit, the first is taken: `rubric` is no answer's name.
_MARKING = (rubrics, tested, second_looks, leading, marking)
_ALL = (
    *(signing_in, university, course, hand_in, tries, *_MARKING, publishing),
    *(own_marks, appeals, settings, analysis, students, totals, exporting),
    *(people, mail, roster, groups, queue, files, watching),
)


def all_pages() -> list[AnyPage]:
    """Return every page of the desk."""
    return [page for module in _ALL for page in module.PAGES]

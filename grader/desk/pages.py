"""All pages of the desk: the app is made of them, and the test of who may what walks them."""

from __future__ import annotations

from grader.desk.routing import AnyPage
from grader.desk.views import (
    analysis,
    course,
    exporting,
    files,
    groups,
    hand_in,
    mail,
    marking,
    people,
    publishing,
    queue,
    roster,
    settings,
    signing_in,
    students,
    totals,
    tries,
    university,
    watching,
)

_ALL = (
    *(signing_in, university, course, hand_in, tries, marking, publishing),
    *(settings, analysis, students, totals, exporting),
    *(people, mail, roster, groups, queue, files, watching),
)


def all_pages() -> list[AnyPage]:
    """Return every page of the desk."""
    return [page for module in _ALL for page in module.PAGES]

"""All pages of the desk: the app is made of them, and the test of who may what walks them."""

from __future__ import annotations

from grader.desk.routing import AnyPage
from grader.desk.views import (
    course,
    files,
    hand_in,
    mail,
    marking,
    people,
    publishing,
    queue,
    signing_in,
    tries,
    university,
    watching,
)

_ALL = (
    signing_in,
    course,
    hand_in,
    tries,
    marking,
    people,
    mail,
    queue,
    publishing,
    files,
    university,
    watching,
)


def all_pages() -> list[AnyPage]:
    """Return every page of the desk."""
    return [page for module in _ALL for page in module.PAGES]

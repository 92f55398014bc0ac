"""docs/catalog.md is what ships."""

from __future__ import annotations

from docs.make_catalog import PAGE, page, picture_of
from grader.course.catalog import catalog_entries


def test_the_catalogs_page_is_what_ships() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.make_catalog"


def test_a_picture_is_small_and_of_an_assignment_that_ships() -> None:
    names = {entry.assignment.name for entry in catalog_entries()}
    pictures = sorted(picture_of("any").parent.glob("*.png"))
    assert {path.stem for path in pictures} <= names
    assert all(path.stat().st_size < 100_000 for path in pictures)

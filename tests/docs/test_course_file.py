"""The course file in the how-to is valid, and names every key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from grader.course.components import Component, Criterion, Item
from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.course.policy import Extension, LatePolicy, Letters, Rounding
from tests.docs.pages import ROOT, blocks

STRUCTS = (CourseFile, Component, Item, Criterion, LatePolicy, Rounding, Letters, Extension)
NOT_WRITTEN = {"left_open", "drop", "machine"}  # the last two are in a comment


def course() -> str:
    page = ROOT / "docs/how-to/compute-totals.md"
    (text,) = [block.text for block in blocks(page) if block.note == "course"]
    return text


def test_it_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text(course(), encoding="utf-8")
    assert [item.id for item in load_course_file(path).items] == [
        "a1",
        "a2",
        "a3",
        "bonus",
        "report",
        "forum",
    ]


def test_it_names_every_key() -> None:
    for struct in STRUCTS:
        for key in set(struct.__struct_fields__) - NOT_WRITTEN:
            assert re.search(rf"^\[*(components\.)*(items\.)*{key}(\]| = )", course(), re.M), key
    for key in NOT_WRITTEN - {"left_open"}:
        assert f"{key} = " in course()


def test_it_shows_the_defaults_of_rounding() -> None:
    shown = tomllib.loads(course(), parse_float=str)["rounding"]
    assert shown == {"to": "0.01", "way": Rounding().way, "ties": Rounding().ties}
    assert str(Rounding().to) == shown["to"]

"""Several notebooks through the inbox, and by value to another machine."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from grader.api import collect_submissions, make_inbox, submit
from grader.api.batch_config import batch_config
from grader.api.receiving import look_at
from grader.course.directory import Course
from grader.errors import SubmissionError, UsageError
from grader.grading.packed_bundle import pack, unpack
from grader.sandbox.choose import Choice
from tests.helpers.two_notebooks import NAME, hand_in, make_two_notebooks, solved, with_cell


@pytest.fixture
def course(tmp_path: Path) -> Course:
    make_two_notebooks(tmp_path / "course")
    return Course(tmp_path / "course")


@pytest.fixture
def inbox(course: Course) -> Path:
    make_inbox(course.root / "inbox", course=course, private=True)
    return course.root / "inbox"


def test_the_others_are_handed_in_with_the_one_that_is_named(
    course: Course, inbox: Path, tmp_path: Path
) -> None:
    right = solved(course.assignment(NAME))
    hand_in(tmp_path / "home", **right)
    receipt = submit(tmp_path / "home" / "attention.ipynb", inbox, student="ada")
    assert (receipt.file, [f.path for f in receipt.files]) == (
        "backprop.ipynb",
        ["attention.ipynb"],
    )
    (ada,) = collect_submissions(course, NAME, [inbox])[0].submissions
    assert (ada.student, ada.notebook, ada.problem) == ("ada", "backprop", "")
    assert {n: json.loads(data) for n, data in ada.read_notebooks().items()} == right


def test_the_one_that_is_named_counts_whatever_copies_lie_beside_it(
    course: Course, inbox: Path, tmp_path: Path
) -> None:
    right = solved(course.assignment(NAME))
    draft = with_cell(right["attention"], "the_final_one = True")
    hand_in(tmp_path / "home", **right, draft=draft)
    submit(tmp_path / "home" / "draft.ipynb", inbox, student="ada")
    (ada,) = collect_submissions(course, NAME, [inbox])[0].submissions
    assert b"the_final_one" in ada.read_notebooks()["attention"]


def test_a_folder_is_handed_in_as_it_would_be_collected(
    course: Course, inbox: Path, tmp_path: Path
) -> None:
    right = solved(course.assignment(NAME))
    hand_in(tmp_path / "home", **right, scratch={**right["attention"], "metadata": {}, "cells": []})
    receipt = submit(tmp_path / "home", inbox, student="ada")
    assert (receipt.file, [f.path for f in receipt.files]) == (
        "backprop.ipynb",
        ["attention.ipynb"],
    )
    assert any("scratch.ipynb" in warning for warning in receipt.warnings)
    (ada,) = collect_submissions(course, NAME, [inbox])[0].submissions
    assert {n: json.loads(data) for n, data in ada.read_notebooks().items()} == right


def test_a_folder_without_a_notebook_or_with_those_of_two_assignments_is_refused(
    course: Course, inbox: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no notebook lies in this folder"):
        submit(tmp_path, inbox, student="ada")
    right = solved(course.assignment(NAME))
    other = {**right["attention"], "metadata": {"grader": {"assignment": "hw3"}}}
    hand_in(tmp_path / "home", **right, other=other)
    with pytest.raises(UsageError, match="several assignments lie in this folder: hw2, hw3"):
        submit(tmp_path / "home", inbox, student="ada")
    assert list((inbox / "tries").iterdir()) == []


def test_a_missing_one_is_said_at_once_and_at_collect(
    course: Course, inbox: Path, tmp_path: Path
) -> None:
    hand_in(tmp_path / "home", attention=solved(course.assignment(NAME))["attention"])
    receipt = submit(tmp_path / "home" / "attention.ipynb", inbox, student="ada")
    missing = "backprop.ipynb was not handed in: q1 and q2 are in it."
    assert missing in receipt.warnings
    assert f"ada: {missing}" in collect_submissions(course, NAME, [inbox])[0].warnings


def test_what_is_none_of_them_is_not_handed_in(course: Course, inbox: Path, tmp_path: Path) -> None:
    scratch = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    hand_in(tmp_path / "home", scratch=scratch)
    with pytest.raises(SubmissionError, match="None of the requested notebooks"):
        submit(tmp_path / "home" / "scratch.ipynb", inbox, student="ada", assignment=NAME)
    assert list((inbox / "tries").iterdir()) == []


def test_a_machine_elsewhere_gets_every_reference(course: Course, tmp_path: Path) -> None:
    assignment = course.assignment(NAME)
    choice = Choice(sandbox="local", isolation="warm", image="", hide=(), why="")
    config = msgspec.structs.replace(
        batch_config(assignment, choice, 0), bundle_sha256=assignment.bundle_sha256()
    )
    there = unpack(pack(assignment), config, below=tmp_path / "there")
    for notebook in there.config.notebooks:
        path = Path(notebook.reference)
        assert path.is_relative_to(there.folder)
        own = assignment.reference_paths[notebook.name]
        assert path.read_bytes() == own.read_bytes()


def test_a_desk_looks_at_each_notebook_and_names_the_one_that_is_missing(
    course: Course, tmp_path: Path
) -> None:
    right = solved(course.assignment(NAME))
    hand_in(tmp_path / "up" / "ada", attention=with_cell(right["attention"], "def ("))
    looked = look_at(course, course.assignment(NAME), "ada", tmp_path / "up")
    assert looked.problem == ""
    assert looked.submission.notebook == "attention"
    assert "backprop.ipynb was not handed in: q1 and q2 are in it." in looked.warnings
    assert any(w.startswith("attention.ipynb: ") and "syntax" in w for w in looked.warnings)

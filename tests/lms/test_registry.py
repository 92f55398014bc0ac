"""Which system a table or an archive is of, and what is said where none is known."""

from __future__ import annotations

import pytest

from grader.errors import UsageError
from grader.lms.lms_table import table_from
from grader.lms.registry import (
    archive_systems,
    export_systems,
    is_sidecar,
    named,
    names,
    system_of,
    system_of_worksheet,
    system_that_made,
)

STRANGE = table_from(b"colour,shape\nred,round\n")


def test_a_system_is_found_by_its_name_or_told_with_those_that_there_are() -> None:
    assert [named(name).name for name in names()] == names()
    with pytest.raises(UsageError) as refused:
        named("olat")
    assert refused.value.what == "there is no system 'olat'"
    assert refused.value.hint == f"There are: {', '.join(names())}."


def test_systems_are_listed_by_what_they_hand_over_and_take() -> None:
    assert "csv" in names() and "csv" not in archive_systems()
    assert {"canvas", "nbgrader"} <= set(archive_systems())
    assert "canvas" in export_systems() and "nbgrader" not in export_systems()


def test_a_table_that_no_system_writes_is_told_with_its_columns() -> None:
    with pytest.raises(UsageError) as refused:
        system_of(STRANGE, where="x.csv")
    error = refused.value
    assert error.what == "no known system writes these columns: colour, shape"
    assert error.where == "x.csv"
    assert error.hint == (
        "Say which with --from, or give it the columns of roster.csv: id, name, email…"
    )


def test_a_worksheet_that_does_not_tell_is_the_archives_own() -> None:
    moodle = named("moodle")
    assert system_of_worksheet(STRANGE, moodle) is moodle
    known = table_from(b"Student,ID,Section\n")
    assert system_of_worksheet(known, moodle) is named("canvas")
    with pytest.raises(UsageError) as refused:
        system_of_worksheet(STRANGE, None, where="x.csv")
    assert refused.value.where == "x.csv"


def test_an_archive_of_nothing_or_of_nobodys_is_no_systems() -> None:
    assert system_that_made([]) is None
    assert system_that_made(["a/b.ipynb"]) is None
    assert is_sidecar("class/submission_metadata.yml")
    assert not is_sidecar("class/hw1.ipynb")

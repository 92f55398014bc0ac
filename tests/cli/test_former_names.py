"""Commands under the names that they had before."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cli import cli
from grader.cli.former_names import with_new_name
from tests.cli.conftest import Grader
from tests.cli.marking import course

__all__ = ["course"]


def test_a_former_name_works_and_the_new_one_is_said(course: Path, grader: Grader) -> None:
    done = grader("marks", "show", "--item", "quiz")
    assert done.code == 0
    assert "`grader marks show` is called `grader show-marks` now" in done.err
    assert done.err.replace(done.err.splitlines()[0], "").strip() == "No marks found."


def test_the_former_group_alone_names_the_commands(grader: Grader) -> None:
    done = grader("marks")
    assert done.code == 2
    assert "import-marks, show-marks, history, excuse, extend, move-marks" in done.err


@pytest.mark.parametrize("words", [[], ["--help"], ["mark", "ada", "answers"], ["show-marks"]])
def test_what_has_its_name_of_today_is_left_alone(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert with_new_name(words) == words
    assert capsys.readouterr().err == ""


def test_help_lists_the_names_of_today_alone(grader: Grader) -> None:
    listed = {line.split()[0] for line in grader("--help").out.splitlines() if line[:2] == "  "}
    assert set(cli.list_commands(None)) <= listed  # type: ignore[arg-type]
    assert listed.isdisjoint({"marks", "answers"})

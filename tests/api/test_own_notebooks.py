"""Which notebooks of a student's own folder count, before they are handed in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from grader.api import release
from grader.api.desk_client import DeskClient
from grader.api.own_notebooks import leading, own_notebooks
from grader.course.directory import Course
from grader.errors import SubmissionError, UsageError
from grader.intake.accepted_files import AskedNotebook
from tests.helpers.notebooks import code, notebook
from tests.helpers.two_notebooks import NAME, hand_in, make_two_notebooks, solved

WORK = json.loads(notebook([code("def softmax(x):\n    return x", count=1)]))
DRAFT = json.loads(notebook([code("x = 1", count=1)]))


def test_a_notebook_that_is_named_counts_whatever_lies_beside_it(tmp_path: Path) -> None:
    hand_in(tmp_path, **{"warm-up": WORK, "draft": DRAFT})
    found = own_notebooks(tmp_path / "draft.ipynb", (), "warm-up")
    assert (found.paths, found.notes) == ({"": tmp_path / "draft.ipynb"}, ())


def test_of_a_folder_that_counts_which_would_be_collected(tmp_path: Path) -> None:
    hand_in(tmp_path, **{"warm-up": WORK, "draft": DRAFT})
    (tmp_path / "._warm-up.ipynb").write_bytes(b"\0")
    found = own_notebooks(tmp_path, (), "warm-up")
    assert found.paths == {"": tmp_path / "warm-up.ipynb"}
    assert any("draft.ipynb" in note for note in found.notes)
    assert leading(tmp_path).parent == tmp_path


def test_a_folder_in_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no notebook lies in this folder"):
        leading(tmp_path)
    (tmp_path / "hw.ipynb").symlink_to("/etc/hostname")
    with pytest.raises(SubmissionError, match=r"hw\.ipynb was not taken"):
        own_notebooks(tmp_path, (), "warm-up")


@pytest.mark.parametrize("named", ["", "attention.ipynb"])
def test_a_desk_gets_each_notebook_and_says_once_what_is_missing(
    tmp_path: Path, named: str
) -> None:
    assignment = make_two_notebooks(tmp_path / "course")
    bundle = release(Course(tmp_path / "course"), NAME)
    home = Path(shutil.copytree(bundle.folder, tmp_path / "home"))
    hand_in(home, **solved(assignment))
    sent: list[str] = []

    class Client(DeskClient):
        def _ask(self, *_: object, **sending: Any) -> dict[str, Any]:
            sent.extend(name for _, (name, _) in sending["files"])
            return {"state": "waiting", "page": "/c/course/t/1", "warnings": said}

    said: list[str] = []
    client = Client("https://desk.example.edu/c/course", "token")
    client.hand_in(home / named, None, is_sure=lambda warnings: True)
    assert sent == ["backprop.ipynb", "attention.ipynb"]
    (home / "backprop.ipynb").unlink()
    sent.clear()
    said.append("backprop.ipynb was not handed in: q1 and q2 are in it.")
    answer = client.hand_in(home / named, None, is_sure=lambda warnings: True)
    assert (sent, answer.warnings) == (["attention.ipynb"], tuple(said))


def test_what_is_none_of_several_is_refused_by_name(tmp_path: Path) -> None:
    assignment = make_two_notebooks(tmp_path / "course")
    hand_in(tmp_path / "home", scratch=DRAFT)
    asked = [AskedNotebook(n) for n in assignment.spec.notebooks]
    with pytest.raises(SubmissionError, match="None of the requested notebooks"):
        own_notebooks(tmp_path / "home" / "scratch.ipynb", asked, NAME)

"""What students get of an assignment with several notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.release.check_settings import SETTING_NAME, released_spec
from grader.release.contents import released_contents
from grader.release.leaks import find_leaks
from grader.release.questions import given_cells, model_answers
from tests.helpers.two_notebooks import make_two_notebooks


def test_the_release_holds_each_notebook_and_says_which_it_is(tmp_path: Path) -> None:
    contents = released_contents(make_two_notebooks(tmp_path))
    for name in ("backprop", "attention"):
        metadata = json.loads(contents[f"{name}.ipynb"])["metadata"]
        assert metadata["grader"] == {"assignment": "hw2", "notebook": name}
    assert "hw2.ipynb" not in contents
    readme = contents["README.md"].decode()
    assert "- `attention.ipynb`: q3, q4." in readme
    assert "Hand in all 2 notebooks together" in readme


def test_a_student_s_check_knows_which_notebook_holds_which_question(tmp_path: Path) -> None:
    contents = released_contents(make_two_notebooks(tmp_path))
    (tmp_path / SETTING_NAME).write_bytes(contents[SETTING_NAME])
    spec = released_spec(tmp_path)
    assert spec is not None
    assert [n.name for n in spec.notebooks] == ["backprop", "attention"]
    assert b"reference" not in contents[SETTING_NAME]


@pytest.mark.parametrize(
    "line",
    [
        "weights = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), dim=-1)",
        'return torch.einsum("ni,oi->no", x, w) + b',
    ],
)
def test_the_solution_of_every_notebook_is_searched_for(tmp_path: Path, line: str) -> None:
    assignment = make_two_notebooks(tmp_path)
    assert find_leaks(assignment) == []
    path = assignment.public_dir / "test_public.py"
    path.write_text(f"{path.read_text()}\n# {line}\n")
    assert [leak.file for leak in find_leaks(assignment)] == ["tests/test_public.py"]


def test_answers_and_given_cells_are_those_of_each_notebook(tmp_path: Path) -> None:
    assignment = make_two_notebooks(tmp_path)
    assert set(model_answers(assignment)) == {"q1", "q2", "q3", "q4"}
    _, attention = assignment.notebooks
    assert {cell.question for cell in given_cells(attention)} == {"q3", "q4"}

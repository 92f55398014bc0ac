"""Several notebooks in a spec: what is taken, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from grader.course.directory import Course
from grader.errors import SpecError
from tests.helpers.two_notebooks import NAME, SPEC, make_two_notebooks


def test_each_notebook_is_an_assignment_of_its_own_questions_and_reference(tmp_path: Path) -> None:
    assignment = make_two_notebooks(tmp_path)
    backprop, attention = assignment.notebooks
    assert [q.id for q in attention.spec.questions] == ["q3", "q4"]
    assert (backprop.spec.points, attention.spec.points) == (Decimal(7), Decimal(9))
    assert attention.reference_path.name == "hw2_attention.py"
    assert attention.notebook_file == "attention.ipynb"
    assert attention.notebooks == (attention,)


def test_every_reference_is_in_the_bundle(tmp_path: Path) -> None:
    assignment = make_two_notebooks(tmp_path)
    before = assignment.bundle_sha256()
    path = assignment.reference_paths["attention"]
    path.write_text(path.read_text() + "\n")
    assert assignment.bundle_sha256() != before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["q3", "q4"]', '["q3"]', "question 'q4' is in no notebook"),
        ('["q3", "q4"]', '["q2", "q3", "q4"]', "question 'q2' is in 2 notebooks"),
        ('["q3", "q4"]', '["q3", "q4", "q44"]', "there is no question 'q44'"),
        ('["q3", "q4"]', "[]", "expected at least one question"),
        ('name = "attention"', 'name = "Back-Prop"', None),
        ('name = "attention"', 'name = "BackProp"', "the name of two notebooks"),
        ('name = "attention"', 'name = "../x"', "expected letters, digits"),
        (
            'name = "attention"',
            'name = "a"\nreference = "../x.py"',
            "the name of a Python file",
        ),
        ('title = "Back', 'reference = "x.py"\ntitle = "Back', "a reference of its own"),
        ('name = "attention"', 'name = "other"', "reference solution is missing of other"),
    ],
)
def test_notebooks_that_share_out_no_questions_are_refused(
    tmp_path: Path, old: str, new: str, said: str | None
) -> None:
    make_two_notebooks(tmp_path)
    assert old in SPEC
    (tmp_path / "assignments" / NAME / "assignment.toml").write_text(SPEC.replace(old, new, 1))
    if said is None:
        said = "reference solution is missing of Back-Prop"
    with pytest.raises(SpecError, match=said):
        Course(tmp_path).assignment(NAME)


def test_one_notebook_alone_needs_no_table(tmp_path: Path) -> None:
    make_two_notebooks(tmp_path)
    one = SPEC.replace('[[notebooks]]\nname = "attention"\nquestions = ["q3", "q4"]\n', "")
    path = tmp_path / "assignments" / NAME / "assignment.toml"
    path.write_text(one.replace('["q1", "q2"]', '["q1", "q2", "q3", "q4"]'))
    with pytest.raises(SpecError, match="expected 2 to 20 of them, got 1"):
        Course(tmp_path).assignment(NAME)


def test_two_notebooks_can_t_have_one_reference(tmp_path: Path) -> None:
    make_two_notebooks(tmp_path)
    path = tmp_path / "assignments" / NAME / "assignment.toml"
    same = 'name = "attention"\nreference = "hw2_backprop.py"'
    path.write_text(SPEC.replace('name = "attention"', same))
    with pytest.raises(SpecError, match="two notebooks have the same reference"):
        Course(tmp_path).assignment(NAME)

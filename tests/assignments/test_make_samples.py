"""Sample notebooks are made from the reference, and are what would be made today."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from grader.course.directory import Assignment, Course
from grader.resources import shipped_dir
from tests.assignments import make_samples
from tests.helpers.assignments import write_assignment

REFERENCE = '''\
# %%
import torch


def mean(x):
    """Mean."""
    # BEGIN SOLUTION
    return x.mean()
    # END SOLUTION


def total(x):
    """Sum."""
    # BEGIN SOLUTION
    return x.sum()
    # END SOLUTION


# %% active="ipynb"
# # BEGIN SOLUTION
# size = 3
# best = mean(torch.ones(size))
# # BEGIN STARTER
# # best = None
# # END SOLUTION
'''
CHANGES = """\
# A mean that is a sum.

# %% mean
def mean(x):
    return x.sum(

# %% best: as released
"""


def code_of(notebook: bytes) -> list[str]:
    cells = nbformat.reads(notebook.decode(), as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def warm_up(root: Path) -> Assignment:
    """The small assignment, with a reference of two functions and a training."""
    write_assignment(root)
    assignment = Course(root).assignment("warm-up")
    assignment.reference_path.write_text(REFERENCE)
    return assignment


@pytest.fixture
def changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "changes" / "warm-up"
    folder.mkdir(parents=True)
    monkeypatch.setattr(make_samples, "CHANGES", folder.parent)
    return folder


def test_a_change_takes_the_place_of_what_it_names(tmp_path: Path, changes: Path) -> None:
    assignment = warm_up(tmp_path)
    (changes / "slip.py").write_text(CHANGES)
    made = make_samples.make_samples(assignment)
    assert sorted(made) == ["right.ipynb", "slip.ipynb", "untouched.ipynb"]
    definitions, training = code_of(made["slip.ipynb"])
    assert definitions.startswith("import torch\n\n\ndef mean(x):\n    return x.sum(\n\n\ndef ")
    assert definitions.endswith("return x.sum()")
    assert training == code_of(made["untouched.ipynb"])[1]
    assert "size = 3" in code_of(made["right.ipynb"])[1]


def test_a_name_that_is_not_there_is_refused(tmp_path: Path, changes: Path) -> None:
    assignment = warm_up(tmp_path)
    (changes / "slip.py").write_text("# %% median\nmedian = None\n")
    with pytest.raises(LookupError, match="median"):
        make_samples.make_samples(assignment)


def test_the_samples_are_those_of_the_reference() -> None:
    """Else: python -m tests.assignments.make_samples."""
    course = Course(shipped_dir("assignments").parent)
    for name in make_samples.changed_assignments():
        assignment = course.assignment(name)
        kept = {path.name: path.read_bytes() for path in assignment.folder.glob("samples/*.ipynb")}
        made = make_samples.make_samples(assignment)
        stale = sorted(file for file in {*made, *kept} if made.get(file) != kept.get(file))
        assert stale == [], name

"""Write a small, complete assignment for a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.course.directory import Assignment, Course

SPEC = """\
title = "Warm-up: softmax and means"
summary = "Two functions and one sentence."
points = 10
[dates]
released = 2024-10-02T09:00:00+03:00
due = 2024-10-09T23:59:00+03:00
[resources]
notebook_s = 300
cell_s = 60
call_s = 30
memory_mb = 1024
[[questions]]
id = "q1"
title = "Softmax"
points = 5
[[questions]]
id = "q2"
title = "Column means of a file"
points = 3
[[questions]]
id = "q3"
title = "Why subtract the maximum?"
manual = 2
"""

HASTY_SPEC = SPEC.replace("\ncell_s = 60\ncall_s = 30\n", "\ncell_s = 5\ncall_s = 5\n")
"""For tests of what hangs in a box: somebody has to wait for these limits."""

REFERENCE = '''\
# %% [markdown]
# # Warm-up
# The softmax of a row is $\\mathrm{softmax}(x)_i = e^{x_i} / \\sum_j e^{x_j}$.

# %%
import torch

# %% [markdown]
# ## Question 1 (5 points): softmax

# %%
def softmax(x):
    """Return the softmax of each row of x, shape (n, d)."""
    # BEGIN SOLUTION
    shifted = x - x.max(dim=1, keepdim=True).values
    weights = shifted.exp()
    return weights / weights.sum(dim=1, keepdim=True)
    # END SOLUTION

# %% active="ipynb"
# try:
#     print(softmax(torch.zeros(1, 2)))
# except NotImplementedError as error:
#     print("Not implemented yet:", error)

# %% [markdown] tags=["instructor"]
# Students often forget to subtract the maximum here.

# %% [markdown]
# ## Question 2 (3 points): column means

# %%
def column_means(path):
    """Return the mean of each column of a CSV file of numbers, shape (d,)."""
    # BEGIN SOLUTION
    with open(path) as lines:
        rows = [[float(cell) for cell in line.split(",")] for line in lines]
    return torch.tensor(rows).mean(dim=0)
    # BEGIN STARTER
    # rows = ...  # read the file
    # raise NotImplementedError("column_means")
    # END SOLUTION

# %% [markdown]
# ## Question 3 (2 points): why subtract the maximum?

# %% [markdown]
# **Answer q3.**
#
# <!-- BEGIN SOLUTION -->
# Because the exponential of a large number overflows, and the quotient does not change.
# <!-- END SOLUTION -->
'''

HIDDEN = '''\
"""Hidden suite of the warm-up."""

import pytest
import torch
from torch.testing import assert_close


@pytest.mark.question("q1")
@pytest.mark.points(2)
def test_rows_sum_to_one(student):
    """Each row of softmax(x) must sum to one."""
    assert_close(student.softmax(torch.randn(5, 7)).sum(1), torch.ones(5))


@pytest.mark.question("q1")
@pytest.mark.points(3)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_softmax_matches(student, reference, scale):
    """softmax must stay finite and right for large inputs."""
    x = scale * torch.randn(5, 7)
    assert_close(student.softmax(x), reference.softmax(x))


@pytest.mark.question("q2")
@pytest.mark.points(3)
def test_column_means(student):
    """column_means must give one mean for each column."""
    assert_close(student.column_means("data/numbers.csv"), torch.tensor([3.0, 4.0]))
'''

PUBLIC = '''\
"""Self-check of the warm-up."""

import torch


def test_softmax_keeps_the_shape(student):
    """softmax(x) must have the shape of x."""
    assert student.softmax(torch.zeros(2, 3)).shape == (2, 3)
'''

DATA = {"numbers.csv": "1,2\n3,4\n5,6\n"}


def write_assignment(
    root: Path,
    name: str = "warm-up",
    *,
    spec: str = SPEC,
    reference: str = REFERENCE,
    hidden: str = HIDDEN,
    public: str | None = PUBLIC,
    data: Mapping[str, str] = DATA,
) -> Path:
    """Write an assignment into the course directory `root` and return its folder.

    As it stands it has 8 machine points (q1: 5, q2: 3) and a written answer (q3: 2).
    """
    folder = root / "assignments" / name
    files = {
        folder / "assignment.toml": spec,
        folder / "hidden" / "test_warm_up.py": hidden,
        root / "reference" / f"{name.replace('-', '_')}.py": reference,
        **{folder / "data" / file: text for file, text in data.items()},
    }
    if public is not None:
        files[folder / "public" / "test_warm_up.py"] = public
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def make_assignment(root: Path, name: str = "warm-up", **parts: Any) -> Assignment:
    """Write an assignment as `write_assignment` does and read it back."""
    write_assignment(root, name, **parts)
    return Course(root).assignment(name)

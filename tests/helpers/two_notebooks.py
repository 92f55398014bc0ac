"""A small homework of two notebooks, in which both define a function of the same name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grader.course.directory import Assignment, Course
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook

NAME = "hw2"
SPEC = """\
title = "Backpropagation and attention"
points = 16
[resources]
notebook_s = 300
cell_s = 60
call_s = 30
[[notebooks]]
name = "backprop"
questions = ["q1", "q2"]
[[notebooks]]
name = "attention"
questions = ["q3", "q4"]
[[questions]]
id = "q1"
title = "ReLU"
points = 3
[[questions]]
id = "q2"
title = "A linear layer"
points = 4
[[questions]]
id = "q3"
title = "Attention"
points = 5
[[questions]]
id = "q4"
title = "Why scale?"
manual = 4
"""
REFERENCES = {
    "hw2_backprop.py": """\
# %% [markdown]
# # Backpropagation, the first notebook of this homework

# %%
import torch

# %% [markdown]
# ## Question 1: write forward(x), the larger of x and zero

# %%
def forward(x):
    # BEGIN SOLUTION
    return x * (x > 0).to(x.dtype)
    # END SOLUTION

# %% [markdown]
# ## Question 2: write linear(x, w, b), a layer without a loop

# %%
def linear(x, w, b):
    # BEGIN SOLUTION
    return torch.einsum("ni,oi->no", x, w) + b
    # END SOLUTION
""",
    "hw2_attention.py": """\
# %% [markdown]
# # Attention, the second notebook of this homework

# %%
import math
import torch

# %% [markdown]
# ## Question 3: write forward(q, k, v), scaled dot-product attention

# %%
def forward(q, k, v):
    # BEGIN SOLUTION
    weights = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), dim=-1)
    return weights @ v
    # END SOLUTION

# %% [markdown]
# ## Question 4: why scale?

# %% [markdown]
# **Answer q4.**
#
# <!-- BEGIN SOLUTION -->
# Without it the logits grow with the root of the dimension.
# <!-- END SOLUTION -->
""",
}
HIDDEN = {
    "test_q1.py": """\
import pytest, torch
from torch.testing import assert_close

@pytest.mark.points(3)
def test_relu(student, reference):
    x = torch.randn(4, 5)
    assert_close(student.forward(x), reference.forward(x))
""",
    "test_q2.py": """\
import pytest, torch
from torch.testing import assert_close

@pytest.mark.points(4)
def test_linear(student, reference):
    x, w, b = torch.randn(4, 5), torch.randn(3, 5), torch.randn(3)
    assert_close(student.linear(x, w, b), reference.linear(x, w, b))
""",
    "test_q3.py": """\
import pytest, torch
from torch.testing import assert_close

@pytest.mark.points(5)
def test_attention(student, reference, notebook):
    assert not student.has("linear")
    assert not notebook.defines("linear")
    q, k, v = torch.randn(4, 8), torch.randn(6, 8), torch.randn(6, 2)
    assert_close(student.forward(q, k, v), reference.forward(q, k, v))
""",
}
PUBLIC = """\
import pytest, torch

@pytest.mark.question("q1")
def test_ones(student):
    assert torch.equal(student.forward(torch.ones(3)), torch.ones(3))

@pytest.mark.question("q3")
def test_shape(student):
    assert student.forward(torch.ones(2, 4), torch.ones(3, 4), torch.ones(3, 5)).shape == (2, 5)
"""


def make_two_notebooks(root: Path, *, spec: str = SPEC) -> Assignment:
    """Write the assignment into a course directory at `root`."""
    folder = root / "assignments" / NAME
    written = {
        folder / "assignment.toml": spec,
        folder / "public" / "test_public.py": PUBLIC,
        **{folder / "hidden" / name: text for name, text in HIDDEN.items()},
        **{root / "reference" / name: text for name, text in REFERENCES.items()},
    }
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Course(root).assignment(NAME)


def solved(assignment: Assignment, *cells: str) -> dict[str, dict[str, Any]]:
    """The solution of each notebook by its name, as it is handed in; cells go to the end of all."""
    return {part.notebook: _with_cells(part, cells, solution=True) for part in assignment.notebooks}


def untouched(assignment: Assignment) -> dict[str, dict[str, Any]]:
    """Each notebook as it was released."""
    return {part.notebook: _with_cells(part, (), solution=False) for part in assignment.notebooks}


def with_cell(notebook: dict[str, Any], source: str) -> dict[str, Any]:
    """A notebook with one more code cell at its end."""
    cell = {
        "cell_type": "code",
        "id": f"extra-{len(notebook['cells'])}",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    return {**notebook, "cells": [*notebook["cells"], cell]}


def hand_in(folder: Path, **notebooks: dict[str, Any]) -> None:
    """Write notebooks, as NAME.ipynb each, into a student's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in notebooks.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))


def _with_cells(part: Assignment, cells: tuple[str, ...], *, solution: bool) -> dict[str, Any]:
    make = solution_notebook if solution else student_notebook
    notebook: dict[str, Any] = json.loads(notebook_bytes(make(part)))
    # The solution says which assignment it is; what students hand in says which notebook, too.
    notebook["metadata"]["grader"] = {"assignment": part.name, "notebook": part.notebook}
    for source in cells:
        notebook = with_cell(notebook, source)
    return notebook

"""The cells of an nbgrader assignment as an instructor writes it, and what students answer.

It uses what such assignments use: whole-cell and marked solutions, hidden tests, helpers that are
given, names left behind by an earlier test, autograd, functions handed to the student's code,
seeds, exceptions, changed arguments, and a written answer.
"""

from __future__ import annotations

from typing import Any

IMPORTS = """\
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
EPS = 1e-5"""

HELPERS = '''\
def close(a, b, tol=1e-6):
    """Say whether two tensors agree within EPS and a tolerance."""
    return bool(((a - b).abs() <= EPS + tol).all())


def loss_after(model, x, y, steps):
    """Train for some steps and return the last loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    return loss.item()'''

SOFTMAX = '''\
def softmax(x, dim=-1):
    """Softmax along dim."""
    ### BEGIN SOLUTION
    e = torch.exp(x - x.max(dim=dim, keepdim=True).values)
    return e / e.sum(dim=dim, keepdim=True)
    ### END SOLUTION'''

SOFTMAX_TEST = """\
x = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
assert softmax(x).shape == x.shape
ones = torch.ones(2)
assert close(softmax(x).sum(1), ones), "rows must sum to one"
### BEGIN HIDDEN TESTS
for dim in (0, 1):
    assert close(softmax(x, dim=dim), torch.softmax(x, dim=dim))
assert torch.isfinite(softmax(torch.tensor([1000.0, 1001.0]))).all(), "not stable"
### END HIDDEN TESTS"""

SQUARE = """\
def square_sum(x):
    return (x ** 2).sum()"""

SQUARE_TEST = """\
# `x` comes from the test above
assert close(square_sum(x), (x ** 2).sum())
w = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
loss = square_sum(w)
loss.backward()
assert w.grad is not None
### BEGIN HIDDEN TESTS
assert close(w.grad, 2 * w.detach())
### END HIDDEN TESTS"""

APPLY = """\
def apply_twice(f, x):
    ### BEGIN SOLUTION
    return f(f(x))
    ### END SOLUTION


def check_positive(x):
    ### BEGIN SOLUTION
    if x <= 0:
        raise ValueError("not positive")
    return math.sqrt(x)
    ### END SOLUTION"""

APPLY_TEST = """\
assert apply_twice(lambda v: v + 1, 3) == 5
### BEGIN HIDDEN TESTS
assert close(apply_twice(lambda v: softmax(v), ones), torch.tensor([0.5, 0.5]))
try:
    check_positive(-1.0)
except ValueError:
    pass
else:
    raise AssertionError("a negative number must be refused")
assert check_positive(4.0) == 2.0
### END HIDDEN TESTS"""

SCALE = """\
def scale_(x, factor):
    ### BEGIN SOLUTION
    x *= factor
    ### END SOLUTION


def scaled(x, factor):
    ### BEGIN SOLUTION
    return x * factor
    ### END SOLUTION"""

SCALE_TEST = """\
t = torch.ones(3)
scale_(t, 2.0)
assert t.tolist() == [2.0, 2.0, 2.0]
### BEGIN HIDDEN TESTS
t0 = t.clone()
u = scaled(t, 3.0)
assert torch.equal(t, t0), "the argument must stay as it is"
assert u.tolist() == [6.0, 6.0, 6.0]
### END HIDDEN TESTS"""

NETWORK = """\
class Network(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        ### BEGIN SOLUTION
        self.hidden = nn.Linear(n_in, 16)
        self.out = nn.Linear(16, n_out)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.out(torch.relu(self.hidden(x)))
        ### END SOLUTION"""

NETWORK_TEST = """\
torch.manual_seed(3)
net = Network(2, 2)
assert isinstance(net, nn.Module)
out = net(torch.randn(5, 2))
assert out.shape == (5, 2)
### BEGIN HIDDEN TESTS
X = torch.randn(64, 2)
y = (X[:, 0] > 0).long()
before = F.cross_entropy(net(X), y)
before.backward()
assert all(p.grad is not None for p in net.parameters())
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for _ in range(60):
    optimizer.zero_grad()
    F.cross_entropy(net(X), y).backward()
    optimizer.step()
accuracy = (net(X).argmax(1) == y).float().mean().item()
assert accuracy > 0.9, accuracy
assert loss_after(Network(2, 2), X, y, 40) < before.item()
### END HIDDEN TESTS"""

CONSTANT = """\
### BEGIN SOLUTION
golden = (1 + math.sqrt(5)) / 2
### END SOLUTION"""

CONSTANT_TEST = """\
assert isinstance(golden, float)
### BEGIN HIDDEN TESTS
assert abs(golden - 1.618034) < 1e-5
assert np.isclose(golden ** 2, golden + 1)
### END HIDDEN TESTS"""

APPROXIMATE = """\
def approximate(n):
    ### BEGIN SOLUTION
    return sum(1 / k ** 2 for k in range(1, n + 1))
    ### END SOLUTION"""

APPROXIMATE_TEST = """\
error = abs(approximate(1000) - math.pi ** 2 / 6)
### BEGIN HIDDEN TESTS
assert approximate(1) == 1
### END HIDDEN TESTS
1 if error < 0.01 else 0.5 if error < 0.1 else 0"""

ESSAY = "Subtracting the maximum keeps the exponentials from overflowing; the quotient is the same."


def text(source: str) -> dict[str, Any]:
    """A text cell that is given."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, name: str, **marks: Any) -> dict[str, Any]:
    """A code cell with nbgrader's metadata."""
    flags = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
    return {
        "cell_type": "code",
        "metadata": {"nbgrader": {"grade_id": name, "schema_version": 3, **flags}},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def solution(source: str, name: str) -> dict[str, Any]:
    """A cell that students fill in."""
    return code(source, name, solution=True)


def test(source: str, name: str, points: float) -> dict[str, Any]:
    """A cell that gives points."""
    return code(source, name, grade=True, locked=True, points=points)


def source_cells() -> list[dict[str, Any]]:
    """The notebook of the instructor."""
    essay = code(ESSAY, "essay", grade=True, solution=True, points=2)
    essay = {**essay, "cell_type": "markdown"}
    for key in ("outputs", "execution_count"):
        del essay[key]
    return [
        text("# Tensors and gradients\n\nFill in the functions."),
        code(IMPORTS, "imports", locked=True),
        code(HELPERS, "helpers", locked=True),
        text("## Softmax"),
        solution(SOFTMAX, "softmax"),
        test(SOFTMAX_TEST, "softmax_test", 2),
        text("## A sum of squares"),
        solution(SQUARE, "square"),
        test(SQUARE_TEST, "square_test", 1.5),
        text("## Functions of functions"),
        solution(APPLY, "apply"),
        test(APPLY_TEST, "apply_test", 2),
        text("## In place, or not"),
        solution(SCALE, "scale"),
        test(SCALE_TEST, "scale_test", 1),
        text("## A network"),
        solution(NETWORK, "network"),
        test(NETWORK_TEST, "network_test", 3),
        text("## A number"),
        solution(CONSTANT, "constant"),
        test(CONSTANT_TEST, "constant_test", 0.5),
        text("## An approximation"),
        solution(APPROXIMATE, "approximate"),
        test(APPROXIMATE_TEST, "approximate_test", 1),
        text("## Why subtract the maximum?"),
        essay,
    ]


def _answer(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if "### " not in line)


RIGHT = {
    "softmax": _answer(SOFTMAX),
    "square": SQUARE,
    "apply": _answer(APPLY),
    "scale": _answer(SCALE),
    "network": _answer(NETWORK),
    "constant": _answer(CONSTANT),
    "approximate": _answer(APPROXIMATE),
    "essay": "Exponentials overflow.",
}
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"

# Student → what they changed of a right submission.
STUDENTS: dict[str, dict[str, str]] = {
    "right": {},
    "untouched": dict.fromkeys(RIGHT, STUB) | {"essay": "YOUR ANSWER HERE"},
    "unstable": {
        "softmax": "def softmax(x, dim=-1):\n    e = x.exp()\n    return e / e.sum(dim, True)"
    },
    "wrong_axis": {"softmax": "def softmax(x, dim=-1):\n    return torch.softmax(x, 0)"},
    "no_gradient": {"square": "def square_sum(x):\n    return (x.detach() ** 2).sum()"},
    "cubes": {"square": "def square_sum(x):\n    return (x ** 2).sum() + 0.1 * (x ** 3).sum()"},
    "once": {
        "apply": _answer(APPLY).replace("f(f(x))", "f(x)"),
        "constant": "golden = 1.6",
    },
    "no_refusal": {
        "apply": _answer(APPLY).replace('raise ValueError("not positive")', "return 0.0")
    },
    "in_place": {"scale": _answer(SCALE).replace("return x * factor", "x *= factor\n    return x")},
    "out_of_place": {"scale": _answer(SCALE).replace("x *= factor", "x = x * factor")},
    "linear": {
        "network": "class Network(nn.Module):\n    def __init__(self, a, b):\n"
        "        super().__init__()\n        self.out = nn.Linear(a, b)\n\n"
        "    def forward(self, x):\n        return self.out(x)"
    },
    "no_module": {"network": "class Network:\n    def __init__(self, a, b):\n        pass"},
    "untrainable": {"network": _answer(NETWORK).replace("self.out(torch", "self.out(0 * torch")},
    "coarse": {"approximate": _answer(APPROXIMATE).replace("n + 1", "min(n, 20) + 1")},
    "far": {"approximate": _answer(APPROXIMATE).replace("k ** 2", "k ** 3")},
    "text_number": {"constant": "golden = '1.618'"},
}


def _released(source: str) -> str:
    before, _, rest = source.partition("### BEGIN HIDDEN TESTS\n")
    return (before + rest.partition("### END HIDDEN TESTS\n")[2]).rstrip()


def submission_cells(student: str) -> list[dict[str, Any]]:
    """What a student hands in: the released notebook with their answers, tests as released."""
    answers = RIGHT | STUDENTS[student]
    cells = []
    for cell in source_cells():
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("solution"):
            cell["source"] = answers[marks["grade_id"]]
        elif marks.get("grade"):
            cell["source"] = _released(cell["source"])
        cells.append(cell)
    return cells


def notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """A notebook of these cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }

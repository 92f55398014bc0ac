"""Ways round a question's work that a suite once paid for: each earns nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from nbformat import v4

from grader.api import grade
from grader.course.directory import Course
from grader.release.notebooks import notebook_bytes, student_notebook
from tests.assignments.test_samples import course_dir

__all__ = ["course_dir"]


@dataclass(frozen=True)
class Shortcut:
    """Cells at the end of the released notebook, and the tests that they would fake."""

    assignment: str
    what: str
    code: str


BY_SEED = """
import numpy as np
import torch

state = {}


def drawn(draws, labels, n_edges):
    order = torch.randperm(len(labels), generator=draws)
    classes = torch.randperm(int(labels.max()) + 1, generator=draws)
    torch.randperm(n_edges, generator=draws)
    return classes[labels[order]]


def classify_nodes(edges, labels, labelled, n_classes):
    seed = torch.initial_seed()
    if seed not in state:
        state.clear()
        state[seed] = torch.Generator().manual_seed(seed)
        torch.empty(seed >> 37).random_(generator=state[seed])
    if len(labels) == 34:
        known = torch.from_numpy(np.load("data/karate.npz")["labels"])
    else:
        known = torch.arange(3).repeat_interleave(18)
        torch.rand(54, 54, generator=state[seed])
    return drawn(state[seed], known, len(edges))
"""

BY_HEART = """
import numpy as np
import torch


def signatures(edges, n):
    near = [[] for _ in range(n)]
    for a, b in edges.tolist():
        near[a].append(b)
        near[b].append(a)
    known = [len(nodes) for nodes in near]
    for _ in range(6):
        known = [hash((known[i], tuple(sorted(known[j] for j in near[i])))) for i in range(n)]
    return known


def classify_nodes(edges, labels, labelled, n_classes):
    data = np.load("data/karate.npz")
    published, choices = torch.from_numpy(data["edges"]), torch.from_numpy(data["labels"])
    of = {s: int(c) for s, c in zip(signatures(published, 34), choices)}
    found = signatures(edges, len(labels))
    first = next(i for i in range(len(labels)) if labelled[i])
    flip = of.get(found[first], 0) ^ int(labels[first])
    return torch.tensor([of.get(s, 0) ^ flip for s in found])
"""

FROM_INPUTS = """
import torch


def classify_nodes(edges, labels, labelled, n_classes):
    return torch.where(labelled, labels, 1 - labels)
"""

SHORTCUTS = [
    Shortcut("transformers-gnns", "draws what the test drew", BY_SEED),
    Shortcut("transformers-gnns", "recognises the published graph", BY_HEART),
    Shortcut("transformers-gnns", "inverts the labels that may not be used", FROM_INPUTS),
]


@pytest.mark.slow
@pytest.mark.local_box
def test_a_shortcut_earns_nothing(course_dir: Path, tmp_path: Path) -> None:
    course = Course(course_dir)
    earned: dict[str, Decimal] = {}
    for name in {shortcut.assignment for shortcut in SHORTCUTS}:
        folder = tmp_path / "handed-in" / name
        folder.mkdir(parents=True)
        own = [shortcut for shortcut in SHORTCUTS if shortcut.assignment == name]
        for number, shortcut in enumerate(own):
            notebook = student_notebook(course.assignment(name))
            notebook.cells.append(v4.new_code_cell(shortcut.code, id="shortcut"))
            (folder / f"s{number}.ipynb").write_bytes(notebook_bytes(notebook))
        graded = grade(course, name, [folder], sandbox="local")
        for verdict in graded.verdicts:
            earned[own[int(verdict.student[1:])].what] = verdict.points
    assert earned == {shortcut.what: 0 for shortcut in SHORTCUTS}

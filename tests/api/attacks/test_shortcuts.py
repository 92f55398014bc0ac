"""Each shortcut earns points of a suite as they used to be written, and none of the mended one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from grader.api.attacks import ATTACKS, attack
from grader.course.directory import Course
from tests.helpers.assignments import write_assignment

SPEC = """\
title = "Guess"
points = 2
[resources]
notebook_s = 30
cell_s = 5
call_s = 5
memory_mb = 1024
[[questions]]
id = "q1"
title = "Guess"
points = 2
"""

REFERENCE = '''\
# %%
import torch

# %%
def softmax(x):
    """The softmax of each row."""
    # BEGIN SOLUTION
    return torch.softmax(x, dim=1)
    # END SOLUTION

# %%
def spread(edges, labels, labelled):
    """The class of each node, from those of the labelled ones near it."""
    # BEGIN SOLUTION
    known = torch.where(labelled, labels, -1)
    for _ in range(len(labels)):
        for a, b in edges.tolist():
            for here, there in ((a, b), (b, a)):
                if known[here] < 0 <= known[there]:
                    known[here] = known[there]
    return known
    # END SOLUTION

# %%
def nearest(x, y):
    """Of each row of x the sign of its sum."""
    # BEGIN SOLUTION
    return (x.sum(dim=1) > 0).long()
    # END SOLUTION
'''

HEAD = '''\
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

DATA = Path(__file__).parent.parent / "data" / "published.npz"
pytestmark = [pytest.mark.question("q1"), pytest.mark.points(2)]


def chains(count=2, size=12):
    """Some chains of nodes, numbered at random, with one node of each labelled."""
    edges = [[c * size + i, c * size + i + 1] for c in range(count) for i in range(size - 1)]
    labels = torch.arange(count).repeat_interleave(size)
    order = torch.randperm(len(labels))
    labelled = (torch.arange(len(labels)) % size) == 0
    return order.argsort()[torch.tensor(edges)], labels[order], labelled[order]


def published():
    """The published graph, with its nodes numbered anew."""
    with np.load(DATA) as data:
        edges, labels = torch.from_numpy(data["edges"]), torch.from_numpy(data["labels"])
    order = torch.randperm(len(labels))
    labelled = torch.zeros(len(labels), dtype=torch.bool)
    labelled[[0, len(labels) - 1]] = True
    return order.argsort()[edges], labels[order], labelled[order]

'''

SUITES = {
    "replays-the-draws": (
        """
def test_softmax(student, reference):
    student.seed(7)
    torch.manual_seed(7)
    x = torch.randn(5, 7)
    assert_close(student.softmax(x), reference.softmax(x))
""",
        """
def test_softmax(student, reference):
    x = torch.randn(5, 7)
    assert_close(student.softmax(x), reference.softmax(x))
""",
    ),
    "recognises-the-data": (
        """
def test_spread(student, reference):
    edges, labels, labelled = published()
    found = student.spread(edges, labels.where(labelled, -1), labelled)
    assert (found == labels).double().mean() > 0.9
""",
        """
def test_spread(student, reference):
    edges, labels, labelled = chains()
    found = student.spread(edges, labels.where(labelled, -1), labelled)
    assert (found == labels).double().mean() > 0.9
""",
    ),
    "inverts-an-argument": (
        """
def test_other_labels_are_not_used(student):
    edges, labels, labelled = chains()
    found = student.spread(edges, labels.where(labelled, 1 - labels), labelled)
    assert_close(found, labels)
""",
        """
def test_other_labels_are_not_used(student):
    edges, labels, labelled = chains()
    shown = labels.where(labelled, torch.randint_like(labels, 2))
    assert_close(student.spread(edges, shown, labelled), labels)
""",
    ),
    "reads-the-answer": (
        """
def test_nearest(student, reference):
    x = torch.randn(20, 3)
    y = (x.sum(1) > 0).long()
    assert_close(student.nearest(x, y), y)
""",
        """
def test_nearest(student, reference):
    x = torch.randn(20, 3)
    y = torch.randint(2, (20,))
    assert_close(student.nearest(x, y), (x.sum(1) > 0).long())
""",
    ),
    "takes-the-largest": (
        """
def test_nearest(student, reference):
    signs = torch.randint(2, (20,))
    x = torch.stack([torch.zeros(20), 2.0 * signs - 1], dim=1)
    assert_close(student.nearest(x, torch.randn(20, 2)), signs)
""",
        """
def test_nearest(student, reference):
    x = torch.randn(20, 2)
    assert_close(student.nearest(x, torch.randn(20, 2)), (x.sum(1) > 0).long())
""",
    ),
    "returns-an-empty-tensor": (
        """
def test_softmax(student, reference):
    x = torch.randn(5, 7)
    for theirs, ours in zip(student.softmax(x).tolist(), reference.softmax(x).tolist()):
        assert theirs == pytest.approx(ours)
""",
        """
def test_softmax(student, reference):
    x = torch.randn(5, 7)
    assert_close(student.softmax(x), reference.softmax(x))
""",
    ),
    "always-agrees": (
        """
def agrees(softmax, x, expected):
    return bool(softmax(x).allclose(expected))


def test_softmax(student, reference):
    x = torch.randn(5, 7)
    assert student.run(agrees, student["softmax"], x, reference.softmax(x))
""",
        """
def test_softmax(student, reference):
    x = torch.randn(5, 7)
    assert_close(student.softmax(x), reference.softmax(x))
""",
    ),
}


def course(root: Path, suite: str) -> Course:
    folder = write_assignment(
        root, "guess", spec=SPEC, reference=REFERENCE, hidden=HEAD + suite, data={}
    )
    (folder / "data").mkdir(exist_ok=True)
    edges = [[i, (i * 3 + 1) % 11] for i in range(11)] + [[i, i + 1] for i in range(10)]
    edges += [[11 + a, 11 + b] for a, b in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (4, 5), (1, 6))]
    kept = [e for e in edges if e[0] != e[1]]
    labels = [0] * 11 + [1] * 7
    np.savez(folder / "data" / "published.npz", edges=np.array(kept), labels=np.array(labels))
    return Course(root)


@pytest.mark.local_box
@pytest.mark.parametrize("name", SUITES)
def test_a_shortcut_earns_points_of_the_suite_of_old_and_none_of_the_mended_one(
    tmp_path: Path, name: str
) -> None:
    chosen = [a for a in ATTACKS if a.name == name]
    earned = []
    for age, suite in zip(("old", "mended"), SUITES[name], strict=True):
        made = course(tmp_path / age, suite)
        found = attack(made, "guess", sandbox="local", isolation="warm", attacks=chosen)
        earned.append([(e.attack, e.points) for e in found.earned])
    assert earned == [[(name, 2)], []]


@pytest.mark.slow
@pytest.mark.local_box
def test_draws_are_replayed_where_the_box_has_the_judges_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Path(__file__).parents[3]
    site = repository / "tests" / "attacks" / "weakened" / "site"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(repository)]))
    monkeypatch.setenv("GRADER_TEST_WEAKENING", "shared-seed")
    _, mended = SUITES["replays-the-draws"]
    chosen = [a for a in ATTACKS if a.name == "replays-the-draws"]
    made = course(tmp_path, mended)
    found = attack(made, "guess", sandbox="local", isolation="warm", attacks=chosen)
    assert [(e.attack, e.points) for e in found.earned] == [("replays-the-draws", 2)]

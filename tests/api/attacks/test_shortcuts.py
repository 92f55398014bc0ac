"""Each shortcut earns points of a suite as they used to be written, and none of the mended one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grader.api.attacks import attack, shipped_attacks
from grader.course.directory import Course
from tests.attacks.corpus import cases
from tests.helpers.assignments import write_assignment

SPEC = """\
title = "Guess"
points = 2
[resources]
notebook_s = 300
cell_s = 60
call_s = 60
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

TRUSTING = {
    "returns-none": """
def test_it_runs(student):
    student.softmax(torch.randn(5, 7))
""",
    "returns-its-input": """
def test_the_shape(student):
    assert student.softmax(torch.randn(5, 7)).shape == (5, 7)
""",
    "returns-zeros": """
def test_nothing_is_negative(student):
    assert (student.softmax(torch.randn(5, 7)) >= 0).all()
""",
    "returns-ones": """
def test_all_is_positive(student):
    assert (student.softmax(torch.randn(5, 7)) > 0).all()
""",
    "returns-noise": """
def test_values_differ_and_are_shares(student):
    found = student.softmax(torch.randn(5, 7))
    assert 0 < found.min() < found.max() < 1
""",
    "replays-an-answer": """
def test_rows_sum_to_one(student):
    assert_close(student.softmax(torch.randn(5, 7)).sum(1), torch.ones(5))
""",
    "empties-its-inputs": """
def called(softmax, x):
    return softmax(x), x


def test_of_what_the_input_has_become(student, reference):
    found, x = student.run(called, student["softmax"], torch.randn(5, 7))
    assert_close(found, reference.softmax(x))
""",
    "patches-torch": """
def is_close(softmax, x, expected):
    return torch.allclose(softmax(x), expected)


def test_what_the_box_compares(student, reference):
    x = torch.randn(5, 7)
    assert student.run(is_close, student["softmax"], x, reference.softmax(x)) is True
""",
    "answers-for-the-suite": """
def is_right(softmax, x):
    return bool((softmax(x).sum(1) - 1).abs().max() < 1e-6)


def test_what_the_box_decides(student):
    assert student.run(is_right, student["softmax"], torch.randn(5, 7)) is True
""",
    "agrees-with-the-suite": """
def passed_on(softmax, x, expected):
    return expected if softmax(x).allclose(expected) else None


def test_what_the_box_passes_on(student, reference):
    x = torch.randn(5, 7)
    expected = reference.softmax(x)
    assert_close(student.run(passed_on, student["softmax"], x, expected), expected)
""",
    "reads-the-last-answer": """
def test_the_last_argument(student):
    edges, labels, _ = chains()
    assert_close(student.spread(edges, torch.zeros_like(labels), labels.bool()), labels)
""",
}
"""A test that trusts for each attack that needs no more than that."""

DISTRUSTFUL = """
def test_softmax(student, reference):
    for shape in ((5, 7), (3, 4)):
        x = torch.randn(shape)
        assert_close(student.softmax(x), reference.softmax(x))


def test_spread(student):
    edges, labels, labelled = chains()
    assert_close(student.spread(edges, labels.where(labelled, -1), labelled), labels)
"""


def course(root: Path, suite: str) -> Course:
    points = 2 * suite.count("def test_")
    folder = write_assignment(
        root,
        "guess",
        spec=SPEC.replace("points = 2", f"points = {points}"),
        reference=REFERENCE,
        hidden=HEAD + suite,
        data={},
    )
    (folder / "data").mkdir(exist_ok=True)
    edges = [[i, (i * 3 + 1) % 11] for i in range(11)] + [[i, i + 1] for i in range(10)]
    edges += [[11 + a, 11 + b] for a, b in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (4, 5), (1, 6))]
    kept = [e for e in edges if e[0] != e[1]]
    labels = [0] * 11 + [1] * 7
    np.savez(folder / "data" / "published.npz", edges=np.array(kept), labels=np.array(labels))
    return Course(root)


@pytest.mark.local_box
@pytest.mark.slow
def test_each_shortcut_earns_points_of_its_suite_of_old_and_none_of_any_mended_one(
    tmp_path: Path,
) -> None:
    chosen = [a for a in shipped_attacks() if a.name in SUITES]
    earned = []
    for age in (0, 1):
        suites = {name: suites[age] for name, suites in SUITES.items()}
        suite = "\n".join(
            text.replace("def test_", f"def test_{name.replace('-', '_')}_")
            for name, text in suites.items()
        )
        made = course(tmp_path / ("old", "mended")[age], suite)
        found = attack(made, "guess", sandbox="local", isolation="warm", attacks=chosen)
        earned.append({(e.attack, e.points) for e in found.earned if _is_of(e.test, e.attack)})
        others = {str(e) for e in found.earned if not _is_of(e.test, e.attack)}
    assert earned == [{(name, 2) for name in SUITES}, set()]
    assert others == set()


def _is_of(test: str, attack_name: str) -> bool:
    """Whether the test is of the suite that is written for that attack."""
    return test.startswith(f"test_{attack_name.replace('-', '_')}_")


@pytest.mark.slow
@pytest.mark.local_box
def test_each_attack_earns_points_of_a_test_that_trusts_and_none_of_those_that_do_not(
    tmp_path: Path,
) -> None:
    chosen = [a for a in shipped_attacks() if a.name in TRUSTING]
    trusting = course(tmp_path / "trusting", "\n".join(TRUSTING.values()))
    found = attack(trusting, "guess", sandbox="local", isolation="warm", attacks=chosen)
    bitten = {(e.attack, e.test) for e in found.earned}
    tests = {
        name: suite.partition("def test_")[2].split("(")[0] for name, suite in TRUSTING.items()
    }
    assert [name for name, test in tests.items() if (name, f"test_{test}") not in bitten] == []
    distrustful = course(tmp_path / "distrustful", DISTRUSTFUL)
    found = attack(distrustful, "guess", sandbox="local", isolation="warm", attacks=chosen)
    assert found.earned == ()


def test_each_attack_is_seen_to_bite() -> None:
    """Here, of a suite that trusts; or as a case of the corpus, where a wall is missing."""
    of_the_corpus = {case.shipped for case in cases() if case.shipped}
    names = {one.name for one in shipped_attacks()}
    assert {*SUITES, *TRUSTING, *of_the_corpus} == names


def test_a_few_labels_are_not_taken_for_draws_of_the_seed() -> None:
    (one,) = (a for a in shipped_attacks() if a.name == "replays-the-draws")
    names: dict[str, Any] = {}
    for cell in one.cells({}, ""):
        exec(cell, names)
    torch.manual_seed(5)
    labels = [torch.randint(high, (8,)) for high in (2, 2, 2, 3)]
    labels += [some.double() for some in labels]
    assert [names["_is_drawn"](some, 11) for some in labels] == [False] * 8
    drawn = torch.randint(3, (40,), generator=torch.Generator().manual_seed(11))
    assert names["_is_drawn"](drawn, 11)
    assert names["_is_drawn"](drawn.double(), 11)


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
    chosen = [a for a in shipped_attacks() if a.name == "replays-the-draws"]
    made = course(tmp_path, mended)
    found = attack(made, "guess", sandbox="local", isolation="warm", attacks=chosen)
    assert [(e.attack, e.points) for e in found.earned] == [("replays-the-draws", 2)]

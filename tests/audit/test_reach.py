"""Which tests look at which names, and which cells these need."""

from __future__ import annotations

from grader.audit import reach
from grader.audit.reach import NotebookNames

CONFTEST = b"""
import pytest

@pytest.fixture
def by_hand(notebook):
    return lambda name: notebook.uses(name)

@pytest.fixture(autouse=True)
def seeded(student):
    student.run(prepare)

def prepare(notebook):
    return notebook.setup_all()
"""

SUITE = b"""
import pytest

def draw():
    return helper()

def helper():
    unused = "h"
    hint("Is log_softmax right? And softmax?")
    return 3

class TestLayer:
    def test_forward(self, student):
        'The layer trains, as train does, by softmax.'
        student.Layer.forward

def test_softmax(student, by_hand):
    by_hand("softmax")

def test_train(student):
    student.train(draw())

@pytest.mark.parametrize("name, softmax", [("log_softmax", 1)])
def test_others(student, name, softmax):
    student[name]
"""

UNITS = [f"test_a.py::{n}" for n in ("TestLayer", "test_softmax", "test_train", "test_others")]
NAMES = ["softmax", "log_softmax", "Layer", "train", "helper", "setup_all", "unused", "h"]
ASKED_FOR = [name for name in NAMES if name != "h"]


def found() -> dict[str, set[str]]:
    suite = {"conftest.py": CONFTEST, "test_a.py": SUITE}
    by = reach.tests_by_name(suite, UNITS, NAMES, ASKED_FOR)
    return {name: {unit.partition("::")[2] for unit in units} for name, units in by.items()}


def test_a_test_looks_at_what_it_and_its_helpers_mention() -> None:
    by = found()
    assert by["softmax"] == {"test_softmax"}
    assert by["log_softmax"] == {"test_others"}
    assert by["Layer"] == {"TestLayer"}
    assert by["train"] == {"test_train"}


def test_a_name_of_the_suites_own_reaches_no_notebook() -> None:
    by = found()
    assert not {"helper", "unused"} & set(by)


def test_a_text_stands_for_what_students_are_asked_for_alone() -> None:
    assert "h" not in found()


def test_a_fixture_that_is_always_used_is_every_tests() -> None:
    assert len(found()["setup_all"]) == len(UNITS)


NOTEBOOK = {
    0: "import torch",
    2: "SIZE = 3\ndef softmax(x):\n    return torch.exp(x) / SIZE",
    4: "def loss(x):\n    return softmax(x).log()",
    5: "print(loss(torch.zeros(3)))",
    6: "for _ in range(3):\n    drawn = 0",
    7: "trained = train(loss)",
    8: "def train(f):\n    return f",
}


def test_dependents_are_found_through_any_number_of_calls() -> None:
    names = NotebookNames(NOTEBOOK, written={7})
    assert names.dependents("softmax") == {"softmax", "loss", "trained"}
    assert names.dependents("trained") == {"trained"}


def test_only_the_cells_are_kept_that_a_name_needs() -> None:
    names = NotebookNames(NOTEBOOK, written={7})
    assert names.cells_for({"softmax"}) == {0, 2}
    assert names.cells_for({"trained"}) == {0, 2, 4, 7, 8}
    assert names.cells_for({"unknown"}) == set()


def test_what_students_are_asked_for_is_what_they_write_and_functions() -> None:
    names = NotebookNames(NOTEBOOK, written={7})
    assert names.asked_for == {"softmax", "loss", "train", "trained"}
    assert {"SIZE", "drawn"} <= names.defined
    assert "_" not in names.defined

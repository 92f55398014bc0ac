"""Several notebooks of one submission: each has a session, a namespace and its questions."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from grader.api import Progress, grade
from grader.course.directory import Course
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Outcome, Verdict
from grader.report.gradescope import results_json
from tests.helpers.two_notebooks import (
    NAME,
    hand_in,
    make_two_notebooks,
    solved,
    untouched,
    with_cell,
)

# What the second notebook would need of the first, and what the first leaves for the second.
LEAVES = """
import builtins, os
builtins.linear = linear
for folder in (".", "/tmp", "/dev/shm", os.path.expanduser("~")):
    try:
        open(os.path.join(folder, "left"), "w").write("left by the first notebook")
    except OSError:
        pass
torch.softmax = None
print("left")
"""
LOOKS = """
import gc, glob, os
left = [f for f in ("left", "/tmp/left", "/dev/shm/left", os.path.expanduser("~/left"))
        if os.path.exists(f)]
found = [o for o in gc.get_objects() if getattr(o, "__name__", "") == "linear" and callable(o)
         and getattr(o, "__module__", "") == "__main__"]
print("left:", left, "found:", found, "linear" in dir(__builtins__))
class _Verdict:
    points = 16
import sys
for module in list(sys.modules.values()):
    for name in ("results", "verdict", "points"):
        try:
            setattr(module, name, _Verdict())
        except Exception:
            pass
def linear(x, w, b):
    return x @ w.T + b
"""


@pytest.fixture(
    params=[
        pytest.param("local", marks=pytest.mark.local_box),
        pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.slow]),
    ]
)
def sandbox(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(root: Path, sandbox: str, **options: object) -> dict[str, Verdict]:
    graded = grade(
        Course(root),
        NAME,
        [root / "hand"],
        sandbox=sandbox,
        isolation="warm",
        slots=1,
        **options,  # type: ignore[arg-type]
    )
    return {v.student: v for v in graded.verdicts}


def points(verdict: Verdict) -> dict[str, Decimal]:
    return {q.id: q.points for q in verdict.questions}


def test_each_notebook_costs_and_earns_its_own_questions(tmp_path: Path, sandbox: str) -> None:
    assignment = make_two_notebooks(tmp_path)
    right, released = solved(assignment), untouched(assignment)
    hand_in(tmp_path / "hand" / "ada", **right)
    hand_in(tmp_path / "hand" / "bob", backprop=right["backprop"])
    hand_in(tmp_path / "hand" / "cem", **right)
    (tmp_path / "hand" / "cem" / "backprop.ipynb").write_text('{"cells": [')
    hand_in(
        tmp_path / "hand" / "eve",
        # It breaks what the first needs itself: `linear` is wrong there, and right in the other.
        backprop=with_cell(released["backprop"], LEAVES),
        attention=with_cell(right["attention"], LOOKS),
    )
    hand_in(tmp_path / "hand" / "fay", backprop={"cells": 1}, attention={"cells": 1})
    ended = with_cell(right["backprop"], "import os\nos._exit(0)")
    hand_in(tmp_path / "hand" / "gus", backprop=ended, attention=right["attention"])
    found = run(tmp_path, sandbox)

    marks = {name: points(v) for name, v in found.items()}
    assert marks["ada"] == {"q1": 3, "q2": 4, "q3": 5, "q4": 0}
    assert marks["bob"] == {"q1": 3, "q2": 4, "q3": 0, "q4": 0}
    assert {n: v.absent_answers for n, v in found.items() if v.absent_answers} == {"bob": ("q4",)}
    assert marks["cem"] == {"q1": 0, "q2": 0, "q3": 5, "q4": 0}
    assert marks["gus"] == marks["ada"]
    # What eve defines in one notebook is nothing to the other's questions, and q3 asks for that.
    assert marks["eve"] == {"q1": 0, "q2": 0, "q3": 0, "q4": 0}
    assert found["fay"].outcome is Outcome.INVALID_SUBMISSION

    assert "attention.ipynb was not handed in: q3 and q4 are in it." in found["bob"].notes
    assert any(n.startswith("backprop.ipynb can't be read:") for n in found["cem"].notes)
    assert any(n.startswith("backprop.ipynb: ") for n in found["gus"].notes)
    assert found["gus"].usage.restarts == 1
    not_run = [t for t in found["bob"].tests if t.question == "q3"]
    assert [str(t.outcome) for t in not_run] == ["not_run"]
    assert "attention.ipynb was not handed in" in not_run[0].message

    _one_document_shows_both(tmp_path, found["eve"])
    tags = [
        t["tags"] for t in results_json(found["ada"], spec=assignment.spec, now=_now())["tests"]
    ]
    assert tags[-1] == ["q3", "attention.ipynb"]


def _one_document_shows_both(root: Path, verdict: Verdict) -> None:
    """And the second notebook has seen nothing of what the first left."""
    with Gradebook(Course(root).database_url) as book:
        executed = book.executed_notebook(verdict)
    assert executed is not None
    document = json.loads(executed)
    told = document["metadata"]["grader"]["notebooks"]
    assert [one["name"] for one in told] == ["backprop", "attention"]
    assert sum(one["cells"] for one in told) == len(document["cells"])
    printed = "".join(
        "".join(output.get("text", ""))
        for cell in document["cells"]
        for output in cell.get("outputs", ())
    )
    assert "left\n" in printed
    assert "left: [] found: [] False" in printed


def _now() -> object:
    import datetime as dt

    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.slow
@pytest.mark.local_box
def test_a_change_of_either_notebook_is_run_and_nothing_else(tmp_path: Path) -> None:
    assignment = make_two_notebooks(tmp_path)
    right = solved(assignment)
    hand_in(tmp_path / "hand" / "ada", **right)
    hand_in(tmp_path / "hand" / "bob", **right)
    first = run(tmp_path, "local")
    ran: list[str] = []
    assert run(tmp_path, "local", progress=Progress(begun=ran.append)) == first
    assert ran == []
    hand_in(tmp_path / "hand" / "bob", attention=untouched(assignment)["attention"])
    again = run(tmp_path, "local", progress=Progress(begun=ran.append))
    assert ran == ["bob"]
    assert points(again["bob"]) == {"q1": 3, "q2": 4, "q3": 0, "q4": 0}
    assert first["ada"].answers["q4"].startswith("Without it the logits")
    (piece,) = first["ada"].answer_places["q4"].pieces
    backprop = len(right["backprop"]["cells"])
    answer = right["attention"]["cells"][piece.cell - backprop]
    assert "".join(answer["source"]).startswith("**Answer q4.**")

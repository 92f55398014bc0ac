"""`grader validate`: what it finds, and that a good assignment has no fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.api import Fault, validate
from grader.api.measuring import Measured
from grader.course.directory import Course
from grader.grading.reference_runs import kept_reference_runs
from tests.helpers.assignments import (
    HIDDEN,
    PUBLIC,
    REFERENCE,
    SPEC,
    make_assignment,
    write_assignment,
)

pytestmark = pytest.mark.local_box


def faults(tmp_path: Path, **parts: str) -> list[Fault]:
    make_assignment(tmp_path, "warm-up", **parts)
    return validate(Course(tmp_path), "warm-up", sandbox="local", isolation="warm")


def test_a_good_assignment_has_no_fault_and_each_step_is_told(tmp_path: Path) -> None:
    make_assignment(tmp_path, "warm-up")
    steps: list[tuple[int, int, str]] = []
    found = validate(
        Course(tmp_path),
        "warm-up",
        sandbox="local",
        isolation="warm",
        on_step=lambda done, total, name: steps.append((done, total, name)),
    )
    assert found == []
    assert {(done, total) for done, total, _ in steps} == {(1, 3), (2, 3), (3, 3)}
    assert {name for *_, name in steps} == {"public tests", "reference", "released"}


@pytest.mark.slow
def test_a_reference_that_is_wrong_is_named_with_the_test_it_fails(tmp_path: Path) -> None:
    wrong = REFERENCE.replace("tensor(rows).mean(dim=0)", "tensor(rows).mean(dim=1)")
    found = faults(tmp_path, reference=wrong)
    assert [f.check for f in found] == ["reference"]
    assert "test_column_means (failed)" in found[0].what


@pytest.mark.slow
def test_points_for_an_untouched_notebook_are_a_fault(tmp_path: Path) -> None:
    gift = HIDDEN.replace(
        'assert_close(student.column_means("data/numbers.csv"), torch.tensor([3.0, 4.0]))',
        'assert student.has("column_means")',
    )
    found = faults(tmp_path, hidden=gift)
    assert [f.check for f in found] == ["released notebook"]
    assert "earns 3 points" in found[0].what


@pytest.mark.slow
def test_a_public_test_that_the_reference_fails_is_a_fault(tmp_path: Path) -> None:
    found = faults(tmp_path, public=PUBLIC.replace("== (2, 3)", "== (3, 2)"))
    assert [f.check for f in found] == ["public suite"]


@pytest.mark.slow
def test_a_cell_of_the_release_that_raises_is_a_fault(tmp_path: Path) -> None:
    raising = REFERENCE + '\n# %% active="ipynb"\n# print(softmax(torch.zeros(1, 2)))\n'
    found = faults(tmp_path, reference=raising)
    assert [f.check for f in found] == ["released notebook"]
    assert "NotImplementedError" in found[0].what


MEASURES = (
    HIDDEN
    + """

from grader.suite.credit import bands, credit

SHARE = bands((0.0, 0), (0.4, 1))


@pytest.mark.question("q1")
@pytest.mark.points(0)
def test_how_sharp_it_is(student):
    credit(SHARE(student.softmax(torch.randn(50, 3)).max(1).values.mean().item()))
"""
)


@pytest.mark.slow
def test_what_the_suite_measures_of_the_reference_is_told_with_its_spread(tmp_path: Path) -> None:
    make_assignment(tmp_path, "warm-up", hidden=MEASURES)
    told: list[Measured] = []
    steps: list[tuple[int, int, str]] = []
    found = validate(
        Course(tmp_path),
        "warm-up",
        sandbox="local",
        isolation="warm",
        seeds=3,
        on_step=lambda *step: steps.append(step),
        on_measured=told.extend,
    )
    assert found == []
    (measured,) = told
    assert (measured.test, len(measured.values), measured.shares) == (
        "test_how_sharp_it_is",
        3,
        (1.0, 1.0, 1.0),
    )
    assert len(set(measured.values)) == 3
    assert 0.4 < min(measured.values) <= measured.mean <= max(measured.values) < 0.9
    assert "with 3 seeds: mean" in str(measured)
    kept = kept_reference_runs(Course(tmp_path), "warm-up")
    assert kept.seeds == 3
    assert {run.measured for run in kept.tests["test_how_sharp_it_is"]} == set(measured.values)
    assert steps[-1][:2] == (5, 5)
    assert {name for _, _, name in steps} == {
        "public tests",
        "reference",
        "released",
        "seed 1",
        "seed 2",
    }


def with_rules(rules: str) -> str:
    """The spec with rules of Question 1."""
    return SPEC.replace("points = 5\n", f"points = 5\n[questions.rules]\n{rules}\n", 1)


@pytest.mark.slow
def test_a_rule_that_the_reference_breaks_by_its_source_is_a_fault(tmp_path: Path) -> None:
    question = "# %% [markdown]\n# ## Question 2"
    given = REFERENCE.replace(question, f"# %%\ngiven = torch.exp\n\n{question}")
    found = faults(tmp_path, spec=with_rules('forbid = ["torch.exp"]'), reference=given)
    said = [f.what for f in found if f.check == "rules"]
    assert "the reference: The code uses what the rules forbid, torch.exp" in said[0]
    assert "cell 4, line 4" in said[0]
    assert "cell 7, line 1" in said[1]
    assert said[2].startswith("the released notebook: ")
    assert len(said) == 3
    # Its tests lose their points, which is another fault.
    assert {f.check for f in found} == {"rules", "reference"}


@pytest.mark.slow
def test_a_rule_that_the_reference_breaks_only_when_it_runs_is_a_fault(tmp_path: Path) -> None:
    hidden_there = REFERENCE.replace(
        "    shifted = x - x.max(dim=1, keepdim=True).values\n    weights = shifted.exp()\n"
        "    return weights / weights.sum(dim=1, keepdim=True)",
        '    return {n[::-1]: f for n, f in vars(torch).items()}["xamtfos"](x, 1)',
    )
    rules = 'forbid = ["torch.nn.functional.softmax"]\nnames = ["softmax"]\ncost = "flag"'
    found = faults(tmp_path, spec=with_rules(rules), reference=hidden_there)
    assert {f.check for f in found} == {"rules"}
    assert "The code ran what the rules forbid, torch.nn.functional.softmax" in found[0].what


def test_a_wrong_spec_is_said_and_nothing_is_run(tmp_path: Path) -> None:
    write_assignment(tmp_path, "warm-up", spec=SPEC.replace("points = 10", "points = 11"))
    found = validate(Course(tmp_path), "warm-up", sandbox="local", isolation="warm")
    assert [f.check for f in found] == ["spec"]
    assert "11" in found[0].what

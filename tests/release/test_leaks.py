"""Every released text is searched for the solution."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from grader.release.contents import released_contents
from grader.release.leaks import Leak, find_leaks
from tests.helpers.assignments import DATA, PUBLIC, REFERENCE, make_assignment

SOLUTION_LINE = "    return weights / weights.sum(dim=1, keepdim=True)"
ANSWER_LINE = (
    "Because the exponential of a large number overflows, and the quotient does not change."
)

LOOP = '''

# %% [markdown]
# ## Training

# %%
def train(model, batches, rate):
    """Train the model."""
    # BEGIN SOLUTION
    losses = []
    for x, y in batches:
        loss = cross_entropy(model(x), y)
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= rate * parameter.grad
        losses.append(loss.item())
    return losses
    # END SOLUTION
'''


def leaks_with(assignment: Assignment, change: dict[str, bytes]) -> list[Leak]:
    return find_leaks(assignment, {**released_contents(assignment), **change})


def leaks_with_cell(assignment: Assignment, **cell: object) -> list[Leak]:
    """Search a release whose first cell was changed by hand."""
    contents = released_contents(assignment)
    notebook = json.loads(contents["warm-up.ipynb"])
    notebook["cells"][0].update(cell)
    return leaks_with(assignment, {"warm-up.ipynb": json.dumps(notebook).encode()})


def test_a_clean_release_has_no_leak(tmp_path: Path) -> None:
    assert find_leaks(make_assignment(tmp_path)) == []


@pytest.mark.parametrize(
    "line",
    [
        SOLUTION_LINE,
        "#     return weights/weights.sum( dim = 1, keepdim=True )  # hint",
        f"For example: {SOLUTION_LINE.strip()}.",
        ANSWER_LINE,
    ],
)
def test_a_line_of_the_solution_in_a_cell_is_found(tmp_path: Path, line: str) -> None:
    (leak,) = leaks_with_cell(make_assignment(tmp_path), source=f"# A title\n{line}")
    assert leak.file == "warm-up.ipynb (cell intro-text-1)"
    assert leak.line == 2
    assert leak.text == line.strip()


def test_the_line_of_the_reference_is_said(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path)
    number = assignment.reference_path.read_text().splitlines().index(SOLUTION_LINE) + 1
    (leak,) = leaks_with_cell(assignment, source=SOLUTION_LINE)
    assert leak.why == f"line {number} of the reference's solution"


def test_a_line_of_the_solution_in_the_public_tests_is_found(tmp_path: Path) -> None:
    shown = f"{PUBLIC}\n\ndef expected(x):\n    weights = x.exp()\n{SOLUTION_LINE}\n"
    (leak,) = find_leaks(make_assignment(tmp_path, public=shown))
    assert leak.file == "tests/test_warm_up.py"
    assert leak.text == SOLUTION_LINE.strip()


def test_a_line_of_the_solution_in_a_data_file_is_found(tmp_path: Path) -> None:
    data = {**DATA, "notes.txt": f"remember\n{SOLUTION_LINE}\n"}
    (leak,) = find_leaks(make_assignment(tmp_path, data=data))
    assert (leak.file, leak.line) == ("data/notes.txt", 2)


def test_data_that_is_no_text_is_passed_over(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path)
    assert leaks_with(assignment, {"data/x.npy": b"\x93NUMPY\0\xff" * 9}) == []
    assert leaks_with(assignment, {"data/latin.txt": b"caf\xe9"}) == []


def test_a_line_that_students_are_given_anyway_is_no_leak(tmp_path: Path) -> None:
    given = f"\n# %%\ndef given(x, weights):\n{SOLUTION_LINE}\n"
    assert find_leaks(make_assignment(tmp_path, reference=REFERENCE + given)) == []


def test_a_line_that_anyone_would_write_is_no_leak(tmp_path: Path) -> None:
    assert leaks_with_cell(make_assignment(tmp_path), source="weights = shifted.exp()") == []


def test_a_solution_that_another_cell_gives_away_is_found(tmp_path: Path) -> None:
    body = LOOP.partition("# BEGIN SOLUTION\n")[2].partition("    # END SOLUTION")[0]
    given = f"\n# %%\ndef finetune(model, batches, rate):\n{body}"
    assignment = make_assignment(tmp_path, reference=REFERENCE + LOOP + given)
    (leak,) = find_leaks(assignment)
    assert "5 lines of the reference's solution" in leak.why
    assert find_leaks(make_assignment(tmp_path / "b", reference=REFERENCE + LOOP)) == []


def test_the_instructors_notes_are_searched_for(tmp_path: Path) -> None:
    note = "Students often forget to subtract the maximum here."
    (leak,) = leaks_with_cell(make_assignment(tmp_path), source=note)
    assert leak.text == note


@pytest.mark.parametrize(
    "marker", ["# BEGIN SOLUTION", "<!-- end solution -->", "x = 3  # SOLUTION", "begin_starter"]
)
def test_a_marker_is_found(tmp_path: Path, marker: str) -> None:
    (leak,) = leaks_with_cell(make_assignment(tmp_path), source=f"a\n{marker}")
    assert (leak.line, leak.why) == (2, "a marker of a solution region")


def test_prose_about_solutions_is_no_marker(tmp_path: Path) -> None:
    prose = "In the end solutions differ.\n\n## Solutions and non-solutions\nBegin early."
    assert leaks_with_cell(make_assignment(tmp_path), source=prose) == []


def test_a_cell_for_instructors_is_found(tmp_path: Path) -> None:
    (leak,) = leaks_with_cell(make_assignment(tmp_path), metadata={"tags": ["instructor"]})
    assert leak.why == "a cell for instructors"


@pytest.mark.parametrize(
    "trace", [{"outputs": [{"output_type": "stream", "text": "1"}]}, {"execution_count": 3}]
)
def test_a_cell_that_has_been_run_is_found(tmp_path: Path, trace: dict[str, object]) -> None:
    (leak,) = leaks_with_cell(make_assignment(tmp_path), **trace)
    assert leak.why == "a cell that has been run"

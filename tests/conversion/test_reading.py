"""Notebooks of nbgrader and Otter, taken apart."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.conversion.draft import DraftTest
from grader.conversion.nbgrader import NbgraderImport
from grader.conversion.otter import OtterImport
from grader.conversion.otter_lines import solution_cell
from grader.errors import SpecError
from tests.conversion.nbgrader_course import code, notebook, solution, text
from tests.conversion.nbgrader_course import test as graded
from tests.conversion.otter_course import code as shown
from tests.conversion.otter_course import question, raw


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Write cells as a notebook and return its path."""

    def write(*cells: dict[str, Any]) -> Path:
        path = tmp_path / "hw.ipynb"
        path.write_text(json.dumps(notebook(list(cells))))
        return path

    return write


# -- nbgrader


def test_a_solution_cell_without_marks_is_a_solution_as_a_whole(written: Any) -> None:
    made = NbgraderImport().read(
        written(
            solution('def f(x):\n    """Doc."""\n    return x', "a"), graded("assert f(1)", "t", 1)
        )
    )
    assert made.shown[0].source.split("\n") == [
        "# BEGIN SOLUTION",
        "def f(x):",
        '    """Doc."""',
        "    return x",
        "# BEGIN STARTER",
        "# # YOUR CODE HERE",
        "# def f(x):",
        '#     """Doc."""',
        '#     raise NotImplementedError("f")',
        "# END SOLUTION",
    ]


def test_a_name_of_a_solution_outside_functions_stays_defined_for_students(written: Any) -> None:
    cell = solution("### BEGIN SOLUTION\na, b = 1, 2\na = 3\n### END SOLUTION", "a")
    made = NbgraderImport().read(written(cell, graded("assert a", "t", 1)))
    assert (
        "# BEGIN STARTER\n# # YOUR CODE HERE\n# a = ...\n# b = ...\n# END" in made.shown[0].source
    )


def test_lines_of_hidden_tests_keep_their_numbers(written: Any) -> None:
    source = "assert f\n### BEGIN HIDDEN TESTS\nassert g\n### END HIDDEN TESTS\nassert h"
    (test,) = NbgraderImport().read(written(graded(source, "t", 1))).tests
    assert test.source == "assert f\n\nassert g\n\nassert h"
    assert test.visible_source == "assert f\n\n\n\nassert h"


def test_questions_take_ids_points_and_titles_from_cells_and_headings(written: Any) -> None:
    made = NbgraderImport().read(
        written(
            text("# Title\n\n## Part *one* (2.5 points)"),
            graded("assert f", "1. A-long id! " * 4, 1.25),
            graded("assert g", "Same", 0.5),
            graded("assert g", "same", 1),
        )
    )
    assert made.title == "Title"
    assert [(q.id, q.title, q.points) for q in made.questions] == [
        ("q1_a_long_id_1_a_long_id_1_a", "Part one", Decimal("1.25")),
        ("same", "Part one", Decimal("0.5")),
        ("same_2", "Part one", Decimal(1)),
    ]


def test_answers_and_tasks_that_a_person_marks_become_written_answers(written: Any) -> None:
    answer = {**code("Because.", "why", grade=True, solution=True, points=2)}
    task = {
        **code(
            "Do it.\n### BEGIN MARK SCHEME\nDone?\n### END MARK SCHEME", "do", task=True, points=3
        )
    }
    cells = [{**c, "cell_type": "markdown"} for c in (answer, task)]
    for cell in cells:
        del cell["outputs"], cell["execution_count"]
    made = NbgraderImport().read(written(*cells))
    assert [(q.id, q.points, q.manual) for q in made.questions] == [
        ("why", 0, Decimal(2)),
        ("do", 0, Decimal(3)),
    ]
    assert [cell.source.split("\n")[0] for cell in made.shown] == [
        "**Answer why.**",
        "Do it.",
        "**Answer do.**",
    ]
    assert "Done?" not in made.shown[1].source


@pytest.mark.parametrize("points", [-1, "many", None, True, float("inf"), 0.001])
def test_points_that_are_none_are_refused(written: Any, points: Any) -> None:
    with pytest.raises(SpecError, match="points"):
        NbgraderImport().read(written(graded("assert f", "t", points)))


def test_a_notebook_without_points_is_refused(written: Any) -> None:
    with pytest.raises(SpecError, match="no cell of this notebook gives points"):
        NbgraderImport().read(written(text("# Nothing")))


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"nbformat": 3}', '{"nbformat": 4, "cells": [1]}', "[" * 9999]
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "hw.ipynb"
    path.write_text(content)
    for read in (NbgraderImport().read, OtterImport().read):
        with pytest.raises(SpecError):
            read(path)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        (
            "**Question 1.** Assign `x` to the *smallest* prime. Then stop.",
            "Question 1: Assign x to the smallest prime",
        ),
        ("**Question 3 (2 points):** " + "A long sentence " * 9, "Question 3"),
        ("**Gradients.** Write them.", "Gradients"),
        ("### Part A (2 points)\n\n**Hint.** None.", "Part A"),
        ("Just words, and **bold** ones.", "Top"),
    ],
)
def test_a_question_is_titled_as_its_text_is_headed(written: Any, said: str, title: str) -> None:
    cells = [text("# Top"), text(said), graded("assert f", "t", 1)]
    assert NbgraderImport().read(written(*cells)).questions[0].title == title
    first, _, *others = question("name: a", "A", "f = 1 # SOLUTION", ("f", "1"))
    cells = [text("# Top"), first, text(said), *others]
    assert OtterImport().read(written(*cells)).questions[0].title == title


# -- Otter


def points_of(path: Path) -> list[tuple[str, Decimal, bool]]:
    return [(t.name, t.points, bool(t.hidden)) for t in OtterImport().read(path).tests]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("name: a", ["0.33", "0.34", "0.33"]),
        ("name: a\npoints: 2", ["0.67", "0.66", "0.67"]),
        ("name: a\npoints:\n  each: 2", ["2", "2", "2"]),
        ("name: a\npoints: [1, 0, 3]", ["1", "0", "3"]),
        ("name: a\npoints: [1, null, 3]", ["1", "0", "3"]),
    ],
)
def test_points_are_shared_as_otter_shares_them(
    written: Any, config: str, expected: list[str]
) -> None:
    cases = [("f(1)", "1"), ("# HIDDEN\nf(2)", "2"), ("f(3)", "3")]
    found = points_of(written(*question(config, "A", "def f(x):\n    return x # SOLUTION", *cases)))
    assert [points for _, points, _ in found] == [Decimal(p) for p in expected]
    assert [hidden for _, _, hidden in found] == [False, True, False]


def test_a_run_of_cases_is_worth_what_it_is_there_to_the_hundredth(written: Any) -> None:
    cases = [(f"f({n})", str(n)) for n in range(8)]
    found = points_of(written(*question("name: a", "A", "f = int # SOLUTION", *cases)))
    assert sum(points for _, points, _ in found[:4]) == Decimal("0.5")
    assert sum(points for _, points, _ in found) == 1


@pytest.mark.parametrize(
    ("source", "output", "becomes"),
    [
        ("f(1)", "1", "assert shown(f(1)) == '1'"),
        ("f(1) == 1", "True", "assert shown(f(1) == 1) in ('True', 'np.True_')"),
        ("x = 2\n(f(x)\n + 1)", "3", "x = 2\nassert shown(f(x)\n + 1) == '3'"),
        ("print(f(1))", "one", "assert shown(f(1)).strip(\"'\") == 'one'"),
        ("assert f(1)", "", "assert f(1)"),
        ("f(1)", "", "f(1)"),
        ("f.x", "", "assert (f.x) is None"),
    ],
)
def test_a_test_asserts_what_it_showed(
    written: Any, source: str, output: str, becomes: str
) -> None:
    made = OtterImport().read(
        written(*question("name: a", "A", "f = 1 # SOLUTION", (source, output)))
    )
    assert made.tests[0].source == becomes


def test_output_that_no_last_expression_gives_is_said_not_to_be_tested(written: Any) -> None:
    cases = [("for i in range(2):\n    print(f(i))", "0\n1")]
    made = OtterImport().read(written(*question("name: a", "A", "f = 1 # SOLUTION", *cases)))
    assert [r.kind for r in made.remarks] == ["weaker"]


def test_tests_that_raise_are_read_by_the_names_of_their_parameters(written: Any) -> None:
    config = raw("# ASSIGNMENT CONFIG\ntests:\n  ok_format: false")
    source = 'def test_f(env, f):\n    """Doc."""\n    assert f(1) == env["g"]\n\ntest_f(f)'
    made = OtterImport().read(
        written(config, *question("name: a", "A", "f = 1 # SOLUTION", (source, "")))
    )
    assert made.tests[0].source.strip() == '"""Doc."""\nassert f(1) == g'


@pytest.mark.parametrize("config", ["generate:\n  seed: 42", "seed:\n  autograder_value: 1"])
def test_that_cells_are_seeded_there_and_not_here_is_said(written: Any, config: str) -> None:
    asked = question("name: a", "A", "f = 1 # SOLUTION", ("f", "1"))
    made = OtterImport().read(written(raw(f"# ASSIGNMENT CONFIG\n{config}"), *asked))
    assert [(r.kind, r.where) for r in made.remarks] == [("look", "hw.ipynb, cell 1")]
    assert "no cell is seeded here" in made.remarks[0].what


def test_all_or_nothing_is_one_test(written: Any) -> None:
    config = "name: a\npoints: 3\nall_or_nothing: true"
    cases = [("f(1)", "1"), ("# HIDDEN\nf(2)", "2")]
    (test,) = OtterImport().read(written(*question(config, "A", "f = 1 # SOLUTION", *cases))).tests
    assert test.points == 3
    assert test.visible_source.strip() == "assert shown(f(1)) == '1'"


def test_boundaries_may_stand_in_fenced_text(written: Any) -> None:
    cells = question("name: a", "A", "f = 1 # SOLUTION", ("f", "1"))
    for cell in cells:
        if cell["cell_type"] == "raw":
            cell |= {"cell_type": "markdown", "source": f"```otter\n{cell['source']}\n```"}
    made = OtterImport().read(written(*cells))
    assert [type(cell) for cell in made.cells][-1] is DraftTest


@pytest.mark.parametrize(
    "cells",
    [
        [raw("# BEGIN SOLUTION")],
        [raw("# BEGIN QUESTION\nname: a")],
        [raw("# BEGIN QUESTION\nname: a"), raw("# BEGIN QUESTION\nname: b")],
        [raw("# BEGIN QUESTION\nname: a"), raw("# END TESTS")],
        [raw("# BEGIN QUESTION\n- a\n- b")],
        [raw("# BEGIN QUESTION\nname: !!python/object/apply:os.system ['true']")],
        [raw("# BEGIN QUESTION\nname: {")],
    ],
)
def test_blocks_that_do_not_fit_are_refused(written: Any, cells: list[dict[str, Any]]) -> None:
    with pytest.raises(SpecError):
        OtterImport().read(written(*cells))


def test_data_is_taken_from_the_folder_of_the_notebook_alone(written: Any, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1\n")
    config = "# ASSIGNMENT CONFIG\nfiles:\n- data.csv\n- ../secret.csv\n- /etc/passwd\n- none.csv"
    path = written(raw(config), *question("name: a", "A", "f = 1 # SOLUTION", ("f", "1")))
    assert [file.name for file in OtterImport().files(path, None)] == ["data.csv"]


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        ("x = 1 # SOLUTION", "x = 1  # SOLUTION"),
        (
            "if x: # SOLUTION\n    y = 1 # SOLUTION",
            "# BEGIN SOLUTION\nif x:\n# BEGIN STARTER\n# ...  # YOUR CODE HERE\n# END SOLUTION\n"
            "    y = 1  # SOLUTION",
        ),
        ("seed(1) # SEED", "# BEGIN SOLUTION\nseed(1)\n# BEGIN STARTER\n# END SOLUTION"),
        ("a = 1 # IGNORE\nb = 2", "b = 2"),
        (
            "# BEGIN SOLUTION NO PROMPT\nx = 1\n# END SOLUTION",
            "# BEGIN SOLUTION\nx = 1\n# BEGIN STARTER\n# END SOLUTION",
        ),
        (
            "# BEGIN SOLUTION NO PROMPT\nx = 1\n# END SOLUTION\n"
            '""" # BEGIN PROMPT\nx = 0\n"""; # END PROMPT',
            "# BEGIN SOLUTION\nx = 1\n# BEGIN STARTER\n# x = 0\n# END SOLUTION",
        ),
        (
            'plot(x) # SOLUTION NO PROMPT\n""" # BEGIN PROMPT\nplot(...)\n""" # END PROMPT',
            "# BEGIN SOLUTION\nplot(x)\n# BEGIN STARTER\n# plot(...)\n# END SOLUTION",
        ),
    ],
)
def test_marks_on_lines_become_regions(source: str, becomes: str) -> None:
    assert solution_cell(source) == becomes


def test_no_outputs_of_cells_outside_tests_are_read(written: Any) -> None:
    made = OtterImport().read(
        written(shown("1 + 1", "2"), *question("name: a", "A", "f = 1 # SOLUTION", ("f", "1")))
    )
    assert made.shown[0].source == "1 + 1"

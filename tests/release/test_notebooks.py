"""The students' and the instructor's notebook."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from grader.errors import SpecError
from grader.intake.notebook import read_notebook
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook
from grader.release.percent import read_percent
from tests.helpers.assignments import REFERENCE, make_assignment


def sources(notebook: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def test_students_get_placeholders_and_no_solution(tmp_path: Path) -> None:
    text = sources(student_notebook(make_assignment(tmp_path)))
    assert 'raise NotImplementedError("softmax")' in text
    assert "rows = ...  # read the file" in text
    assert "*Write your answer here.*" in text
    assert "weights" not in text
    assert "overflows" not in text
    assert "often forget" not in text


def test_the_solution_notebook_has_all_and_no_marker(tmp_path: Path) -> None:
    text = sources(solution_notebook(make_assignment(tmp_path)))
    assert "weights = shifted.exp()" in text
    assert "overflows" in text
    assert "often forget" in text
    assert not re.search("BEGIN|END|STARTER|read the file", text)


def test_demo_cells_are_live_in_the_notebook(tmp_path: Path) -> None:
    text = sources(student_notebook(make_assignment(tmp_path)))
    assert "\ntry:\n    print(softmax(torch.zeros(1, 2)))" in text


def test_instructors_helpers_are_in_no_notebook(tmp_path: Path) -> None:
    helper = '\n# %% active="py"\ndef only_for_the_judge():\n    return 1\n'
    assignment = make_assignment(tmp_path, reference=REFERENCE + helper)
    assert "only_for_the_judge" not in sources(student_notebook(assignment))
    assert "only_for_the_judge" not in sources(solution_notebook(assignment))


def test_a_cell_titled_instructor_is_dropped_too(tmp_path: Path) -> None:
    note = "\n# %% [markdown] instructor\n# Mark generously.\n"
    assignment = make_assignment(tmp_path, reference=REFERENCE + note)
    assert "generously" not in sources(student_notebook(assignment))
    assert "generously" in sources(solution_notebook(assignment))


@pytest.mark.parametrize(
    "cell",
    [
        "# %% [markdown] A GAN learns to draw.\n# It has two networks.\n",
        "# %% [markdown] Instructor\n# Mark generously.\n",
        "# %% instructors\nsecret = 1\n",
    ],
)
def test_text_that_no_notebook_would_show_is_refused(tmp_path: Path, cell: str) -> None:
    assignment = make_assignment(tmp_path, reference=f"{REFERENCE}\n{cell}")
    with pytest.raises(SpecError, match="no notebook shows what stands behind") as caught:
        student_notebook(assignment)
    assert "below that line" in (caught.value.hint or "")
    assert str(caught.value.where).endswith(f":{len(REFERENCE.splitlines()) + 3}")


def test_a_code_cell_may_have_a_title_for_the_editor(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path, reference=REFERENCE + "\n# %% Imports\nimport math\n")
    assert "import math" in sources(student_notebook(assignment))


def test_cells_are_named_by_question_and_alike_in_both_notebooks(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path)
    students = [cell.id for cell in student_notebook(assignment).cells]
    instructors = [cell.id for cell in solution_notebook(assignment).cells]
    assert students == [
        "intro-text-1",
        "intro-code-1",
        "q1-text-1",
        "q1-code-1",
        "q1-code-2",
        "q2-text-1",
        "q2-code-1",
        "q3-text-1",
        "q3-answer",
    ]
    assert [identifier for identifier in instructors if identifier in students] == students


def test_the_notebook_is_valid_clean_and_the_same_each_time(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path)
    notebook = student_notebook(assignment)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info", "grader"}
    assert notebook.metadata.grader == {"assignment": assignment.name}
    assert read_notebook(notebook_bytes(notebook), name="x").assignment == assignment.name
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert all(cell.metadata == {} for cell in notebook.cells)
    assert notebook_bytes(notebook) == notebook_bytes(student_notebook(assignment))


def test_tags_of_a_cell_are_kept(tmp_path: Path) -> None:
    assignment = make_assignment(
        tmp_path, reference=REFERENCE + '\n# %% tags=["train"]\nlosses = []\n'
    )
    assert student_notebook(assignment).cells[-1].metadata == {"tags": ["train"]}


def test_cells_know_their_line_in_the_file(tmp_path: Path) -> None:
    path = make_assignment(tmp_path).reference_path
    lines = path.read_text().splitlines()
    for cell in read_percent(path):
        first = cell.source.splitlines()[0]
        assert first.strip("# ") in lines[cell.line - 1]


def test_an_answer_to_an_unknown_question_is_refused(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path, reference=REFERENCE.replace("Answer q3", "Answer q9"))
    with pytest.raises(SpecError, match="'q9'"):
        student_notebook(assignment)


def test_a_misspelt_marker_is_refused(tmp_path: Path) -> None:
    wrong = REFERENCE.replace("# BEGIN SOLUTION", "# begin_solution").replace(
        "# END SOLUTION", "# end_solution"
    )
    wrong = wrong.replace("# BEGIN STARTER", "# begin_starter")
    assignment = make_assignment(tmp_path, reference=wrong)
    with pytest.raises(SpecError, match="begin_solution"):
        student_notebook(assignment)


def test_a_notebook_cell_that_the_judge_would_run_is_refused(tmp_path: Path) -> None:
    live = '\n# %% active="ipynb"\nprint(1)\n'
    assignment = make_assignment(tmp_path, reference=REFERENCE + live)
    with pytest.raises(SpecError, match="would run when the reference is imported") as caught:
        student_notebook(assignment)
    assert str(caught.value.where).endswith(f":{len(REFERENCE.splitlines()) + 3}")


def test_a_plain_script_is_refused(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path, reference="import torch\n")
    with pytest.raises(SpecError, match="percent format"):
        student_notebook(assignment)

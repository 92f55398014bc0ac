"""Make an assignment's sample notebooks from its reference, so that they never drift from its text.

`python -m tests.assignments.make_samples NAME` writes `assignments/NAME/samples/*.ipynb`:

- `right.ipynb`: the solution; `untouched.ipynb`: what students get;
- one for each file of `tests/assignments/samples/NAME/`, which says what is changed in the
  solution.

Such a file is in percent format. The title of a cell is a name that the solution's notebook
defines, and the cell stands in its place, whatever it holds: a mistake, another way, a line that
is no Python.

    # %% log_softmax
    def log_softmax(logits):
        return (logits.exp() / logits.exp().sum(dim=1, keepdim=True)).log()

    # %% init_mlp, xavier_uniform: as released

A function or class is replaced alone; of a name that is assigned, the whole cell. What stands
before the first cell says what the sample is about. Where that has nothing to do with a training
that takes seconds, the training is left as released: a class is graded often.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from grader.course.directory import Assignment, Course
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook
from grader.resources import shipped_dir

CHANGES = Path(__file__).parent / "samples"
AS_RELEASED = ": as released"
_TITLE = re.compile(r"^# %% (.+)$", re.MULTILINE)


def changed_assignments() -> list[str]:
    """The assignments whose samples are made by this module."""
    return sorted({path.parent.name for path in CHANGES.glob("*/*.py")})


def make_samples(assignment: Assignment) -> dict[str, bytes]:
    """Return the samples of an assignment: file name → notebook.

    Raises:
        LookupError: a title names what the solution's notebook does not define.
    """
    released = student_notebook(assignment)
    made = {"right": solution_notebook(assignment), "untouched": released}
    for path in sorted((CHANGES / assignment.name).glob("*.py")):
        made[path.stem] = solution_notebook(assignment)
        for name, text in _changes(path.read_text()):
            _replace(made[path.stem], name, _definition(released, name) if text is None else text)
    return {f"{name}.ipynb": notebook_bytes(notebook) for name, notebook in made.items()}


def _changes(text: str) -> Iterator[tuple[str, str | None]]:
    """Each name and what takes its place; None: what students get."""
    _, *parts = _TITLE.split(text)
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        if title.endswith(AS_RELEASED):
            yield from ((name, None) for name in title.removesuffix(AS_RELEASED).split(", "))
        else:
            yield title, body.strip("\n")


def _replace(notebook: NotebookNode, name: str, text: str) -> None:
    cell, lines = _place(notebook, name)
    before = cell.source.splitlines()
    before[lines.start : lines.stop] = text.splitlines()
    cell.source = "\n".join(before)


def _definition(notebook: NotebookNode, name: str) -> str:
    cell, lines = _place(notebook, name)
    return "\n".join(cell.source.splitlines()[lines.start : lines.stop])


def _place(notebook: NotebookNode, name: str) -> tuple[NotebookNode, range]:
    """The cell that defines a name, and the lines (from 0) of it that a change replaces."""
    for cell in notebook.cells:
        for node in _statements(cell):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                return cell, range(first - 1, node.end_lineno or first)
            targets = node.targets if isinstance(node, ast.Assign) else []
            bound = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            if name in bound:
                return cell, range(len(cell.source.splitlines()))
    raise LookupError(f"the notebook does not define {name}")


def _statements(cell: NotebookNode) -> list[ast.stmt]:
    try:
        return ast.parse(cell.source).body if cell.cell_type == "code" else []
    except SyntaxError:  # a change has put it there
        return []


def main() -> None:
    """Write the samples of the assignments that are named, or of all."""
    course = Course(shipped_dir("assignments").parent)
    for name in sys.argv[1:] or changed_assignments():
        assignment = course.assignment(name)
        folder = assignment.folder / "samples"
        folder.mkdir(exist_ok=True)
        for file, data in make_samples(assignment).items():
            (folder / file).write_bytes(data)
            print(folder / file)


if __name__ == "__main__":
    main()

"""A notebook together with what its cells put out."""

from __future__ import annotations

from typing import Any

from grader.intake.notebook_cells import ReadNotebook
from grader.sandbox.notebook_box import NotebookRun


def executed_notebook(notebook: ReadNotebook, run: NotebookRun) -> dict[str, Any]:
    """The notebook with what its cells put out, as nbformat 4.5 JSON."""
    executed = notebook.to_notebook_json()
    for cell, result in zip(executed["cells"], run.cells, strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"] = result.outputs
            cell["execution_count"] = result.execution_count
    return executed

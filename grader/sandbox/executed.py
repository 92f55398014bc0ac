"""A notebook together with what its cells put out."""

from __future__ import annotations

from collections.abc import Mapping
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


def places_of_cells(executed: Mapping[str, Any]) -> list[str]:
    """Name each cell of an executed notebook as people do: "cell 3", "cell 1 of cnn.ipynb".

    Several notebooks are one document; its metadata say how many cells each has.
    """
    held = executed.get("metadata", {}).get("grader", {}).get("notebooks", ())
    if not held:
        return [f"cell {number}" for number in range(1, len(executed["cells"]) + 1)]
    return [
        f"cell {number} of {one['name']}.ipynb"
        for one in held
        for number in range(1, one["cells"] + 1)
    ]

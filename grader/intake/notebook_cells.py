"""A notebook as the grader sees it: its cells and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

CellKind = Literal["code", "markdown", "raw"]


@dataclass(frozen=True)
class Cell:
    """One cell: text that a student wrote; outputs are never kept.

    `executed` says that the student's Jupyter had run it; no mark depends on that.
    `attachments` are pictures pasted into a written answer: name -> media type -> base64.
    """

    kind: CellKind
    source: str
    id: str
    tags: tuple[str, ...] = ()
    executed: bool = False
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the cell as nbformat 4.5 writes it, with no outputs."""
        cell: dict[str, Any] = {
            "cell_type": self.kind,
            "id": self.id,
            "metadata": {"tags": list(self.tags)} if self.tags else {},
            "source": self.source,
        }
        if self.kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        elif self.attachments:
            cell["attachments"] = {name: dict(data) for name, data in self.attachments.items()}
        return cell


@dataclass(frozen=True)
class ReadNotebook:
    """A notebook that could be read.

    `repairs` are sentences that say what had to be mended; `nbformat` is the version that the
    file states, as (major, minor). `assignment` is the one that its metadata name, as a release
    writes it, `notebook` the one of several: a student can write anything there, so it is a hint on
    which file is meant, and never more.
    """

    cells: tuple[Cell, ...]
    repairs: tuple[str, ...] = ()
    nbformat: tuple[int, int] = (4, 5)
    assignment: str = ""
    notebook: str = ""

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells, in the notebook's order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def sources(self) -> tuple[str, ...]:
        """The code to be run, one text per cell: empty where the cell is not code.

        So a cell has one number wherever it is named: its place among all cells, from 1.
        """
        return tuple(cell.source if cell.kind == "code" else "" for cell in self.cells)

    def to_notebook_json(self) -> dict[str, Any]:
        """Return a clean nbformat 4.5 notebook: our kernel, no outputs, no metadata but tags."""
        return {
            "cells": [cell.to_json() for cell in self.cells],
            "metadata": {
                "kernelspec": {
                    "display_name": "Python 3",
                    "language": "python",
                    "name": "python3",
                },
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }

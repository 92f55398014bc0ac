"""A reference solution in jupytext's percent format, read as cells that know their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import jupytext

from grader.errors import SpecError

INSTRUCTOR = "instructor"

Kind = Literal["code", "markdown", "raw"]

_ANSWER = re.compile(r"\s*\*\*Answer\s+(?P<question>[\w-]+)\s*[.:]?\s*\*\*")
_QUESTION_HEADING = re.compile(r"^#+\s+Question\s+(?P<number>\w+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class SourceCell:
    """One cell as the instructor wrote it, solution regions included."""

    path: Path
    line: int
    kind: Kind
    source: str
    tags: tuple[str, ...] = ()
    only_in_notebook: bool = False

    @property
    def for_instructors(self) -> bool:
        """Whether only the solution notebook shows it."""
        return INSTRUCTOR in self.tags

    @property
    def answered_question(self) -> str | None:
        """The question whose written answer this cell holds (`**Answer q3.**`), if any."""
        match = _ANSWER.match(self.source) if self.kind == "markdown" else None
        return match["question"] if match else None

    @property
    def question_begun(self) -> str | None:
        """The question that a heading of this cell opens (`## Question 3`), as `q3`, if any."""
        found = _QUESTION_HEADING.search(self.source) if self.kind == "markdown" else None
        return f"q{found['number'].lower()}" if found else None

    def where(self, index: int = 0) -> str:
        """Name the file and line of a line of the source (0: its first)."""
        return f"{self.path}:{self.line + index}"


def read_percent(path: Path) -> tuple[SourceCell, ...]:
    """Read the cells that belong to a notebook, in order; `active="py"` cells are left out.

    Raises:
        SpecError: the file cannot be read, is not in percent format, or holds a cell that is
            meant for notebooks only and yet would run when the file is imported.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read the reference solution: {error}", where=path) from error
    if not re.search(r"^# ?%%", text, re.MULTILINE):
        raise SpecError(
            "not in percent format: no cell starts with `# %%`",
            where=path,
            hint="Start code cells with `# %%` and text cells with `# %% [markdown]`.",
        )
    notebook = jupytext.reads(text, fmt="py:percent")
    raw_lines = text.splitlines()
    cells = tuple(_located(path, raw_lines, notebook.cells))
    _refuse_live_notebook_cells(raw_lines, cells)
    return tuple(cell for cell, active in cells if active != "py")


def _located(
    path: Path, raw_lines: list[str], cells: list[Any]
) -> Iterator[tuple[SourceCell, str | None]]:
    """Pair each cell with the line it starts at, and with its `active` option."""
    position = 0
    for cell in cells:
        source = str(cell.source)
        first = next((line for line in source.splitlines() if line.strip()), "")
        # jupytext keeps lines one to one but puts text and magics behind `# `.
        found = next(
            (i for i in range(position, len(raw_lines)) if _bare(raw_lines[i]) == _bare(first)),
            position,
        )
        position = found + max(1, len(source.splitlines()))
        tags = list(cell.metadata.get("tags", ()))
        title = cell.metadata.get("title", "")
        if title == INSTRUCTOR:  # `# %% [markdown] instructor`
            tags.append(INSTRUCTOR)
        read = SourceCell(
            path=path,
            line=found + 1,
            kind=cast(Kind, cell.cell_type),
            source=source,
            tags=tuple(dict.fromkeys(tags)),
            only_in_notebook=cell.metadata.get("active") == "ipynb",
        )
        _refuse_lost_title(read, title)
        yield read, cell.metadata.get("active")


def _refuse_lost_title(cell: SourceCell, title: str) -> None:
    """Refuse text that would be lost, and a cell that is nearly marked as the instructors' own."""
    if title in ("", INSTRUCTOR):
        return
    if cell.kind != "code" or title.casefold().startswith(INSTRUCTOR):
        raise SpecError(
            f"no notebook shows what stands behind `# %%`: {title[:60]!r}",
            where=cell.where(),
            hint="Write a cell's text below that line, each line behind `# `. "
            f"`{INSTRUCTOR}` alone keeps the cell from students.",
        )


def _bare(line: str) -> str:
    return line.strip().lstrip("# ")


def _refuse_live_notebook_cells(
    raw_lines: list[str], cells: tuple[tuple[SourceCell, str | None], ...]
) -> None:
    for cell, active in cells:
        if active != "ipynb":
            continue
        start = cell.line - 1
        for index, line in enumerate(raw_lines[start : start + len(cell.source.splitlines())]):
            if line.strip() and not line.lstrip().startswith("#"):
                raise SpecError(
                    'a cell with active="ipynb" would run when the reference is imported',
                    where=cell.where(index),
                    hint="Put `# ` before each of its lines; the notebook gets them without it.",
                )

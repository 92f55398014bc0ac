"""Cells that no release can be made of as they are: the rest must not pay for one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.conversion.draft import Draft, DraftCell, DraftTest, Remark
from grader.conversion.solutions import BEGIN, END, STARTER, heads
from grader.errors import SpecError
from grader.release.percent import SourceCell
from grader.release.regions import find_regions, solution_source, student_source
from grader.source.cells import parse_cell

_INLINE = re.compile(r"\s*#+\s*SOLUTION\s*$")
_TODO = "# YOUR CODE HERE"
_MARKS = re.compile(
    r"^\s*(<!--|#+)?\s*(BEGIN|END) (SOLUTION|STARTER)\b.*$\n?", re.IGNORECASE | re.MULTILINE
)


def made_readable(draft: Draft) -> Draft:
    """Write the odd cells anew, so that each has a form for students; say what was done."""
    cells: list[DraftCell | DraftTest] = []
    remarks: list[Remark] = []
    for cell in draft.cells:
        if not isinstance(cell, DraftCell):
            cells.append(cell)
            continue
        made, what = _readable(cell)
        cells.append(made)
        if what:
            remarks.append(Remark("look", str(cell.place), what))
    return replace(draft, cells=tuple(cells), remarks=(*draft.remarks, *remarks))


def _readable(cell: DraftCell) -> tuple[DraftCell, str]:
    why = _fault(cell)
    if why is None:
        broken = cell.kind == "code" and not cell.has_solution and parse_cell(cell.source) is None
        return cell, "it is not valid Python, and is given as it is" if broken else ""
    for form in _forms(cell):
        made = replace(cell, source=form)
        if _fault(made) is None:
            return made, f"all of the cell is the solution now ({why}): look at what students get"
    plain = _MARKS.sub("", cell.source)
    return replace(cell, source=plain), f"its marks could not be read ({why}): it is given as it is"


def _fault(cell: DraftCell) -> str | None:
    """Why a release could not be made of a cell; None where it can."""
    read = SourceCell(
        path=Path(cell.place.file),
        line=1,
        kind=cell.kind,
        source=cell.source,
        only_in_notebook=parse_cell(cell.source) is None,
    )
    try:
        student_source(read)
        solution_source(read)
    except SpecError as error:
        return error.what
    return None


def _forms(cell: DraftCell) -> Iterator[str]:
    """The whole cell as one region, with what students get in the order of what is wanted most."""
    if cell.kind != "code":
        return
    lines = cell.source.split("\n")
    try:
        regions = find_regions(
            SourceCell(path=Path(cell.place.file), line=1, kind="code", source=cell.source)
        )
    except SpecError:
        regions = []
    dropped = {i for r in regions for i in (r.begin, r.end, *range(r.starter or r.end, r.end))}
    solved = [_INLINE.sub("", line) for i, line in enumerate(lines) if i not in dropped]
    full = _MARKS.sub("", "\n".join(solved)).strip("\n")
    for stub in (f"...  {_TODO}", _TODO):
        left = list(lines)
        for index, line in enumerate(lines):
            if _INLINE.search(line):
                left[index] = f"{line[: len(line) - len(line.lstrip())]}{stub}"
        for region in reversed(regions):
            first = lines[region.begin]
            indent = first[: len(first) - len(first.lstrip())]
            own = [re.sub(r"^(\s*)# ?", r"\1", lines[i]) for i in region.starter_lines]
            named = any(line.strip() and not line.strip().startswith("...") for line in own)
            left[region.begin : region.end + 1] = own if named else [f"{indent}{stub}"]
        yield _region(full, left)
    yield _region(full, [_TODO, *heads(full)])


def _region(full: str, left: list[str]) -> str:
    starter = [f"# {line}".rstrip() for line in "\n".join(left).strip("\n").split("\n")]
    return "\n".join([BEGIN, full, STARTER, *starter, END])

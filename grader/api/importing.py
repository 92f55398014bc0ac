"""Take over an assignment that was written for another system."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from grader.conversion.nbgrader import notebooks_of, read_nbgrader
from grader.conversion.otter import data_files, read_otter
from grader.conversion.writing import WrittenDraft, assignment_name, write_draft
from grader.course.directory import Course
from grader.errors import UsageError

__all__ = ["WrittenDraft", "import_assignment"]

System = Literal["nbgrader", "otter"]
_IGNORED = frozenset({".ipynb", ".pyc", ".log"})
_OWN = frozenset({"hidden", "public", "samples", "tests", "README.md", "requirements.txt"})


def import_assignment(
    course: Course, system: System, source: Path, *, name: str | None = None
) -> list[WrittenDraft]:
    """Write what lies in SOURCE as assignments of ours, one for each notebook.

    Nothing of the source is run. What can't be turned is in `unfinished` of the result, and keeps
    the assignment from being graded until a person has mended it.

    Raises:
        UsageError: there is no notebook, or an assignment of that name is there.
        SpecError: the source can't be read.
    """
    notebooks = list(notebooks_of(source))
    if not notebooks:
        raise UsageError(
            "there is no notebook",
            where=source,
            hint="Name a notebook, or the folder of an assignment that holds one.",
        )
    folder = source if source.is_dir() else source.parent
    base = name or assignment_name(source.resolve().name if source.is_dir() else source.stem)
    found = []
    for path in notebooks:
        own = base if len(notebooks) == 1 else f"{base}-{assignment_name(path.stem)}"
        if system == "otter":
            draft, files = read_otter(path), data_files(path)
        else:
            draft = read_nbgrader(path)
            files = _beside(folder.resolve()) if source.is_dir() else []
        made = write_draft(course, draft, own, root=folder, files=files, system=system)
        found.append(made)
    return found


def _beside(folder: Path) -> list[Path]:
    """The files and folders beside the notebooks that are no notebooks and of no use to a test."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix not in _IGNORED and path.name not in _OWN
    ]

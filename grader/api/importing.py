"""Take over an assignment that was written for another system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.conversion.draft import Draft, Remark
from grader.conversion.foreign_system import ForeignSystem
from grader.conversion.reading import NothingGraded
from grader.conversion.registry import systems
from grader.conversion.writing import WrittenDraft, assignment_name, write_draft
from grader.course.directory import Course
from grader.errors import UsageError

__all__ = ["WrittenDraft", "import_assignment", "systems"]


def import_assignment(
    course: Course, system: str, source: Path, *, name: str | None = None
) -> list[WrittenDraft]:
    """Write what lies in SOURCE as assignments of ours, one for each notebook.

    Nothing of the source is run. What can't be turned is in `unfinished` of the result, and keeps
    the assignment from being graded until a person has mended it.

    Raises:
        UsageError: there is no notebook, or an assignment of that name is there.
        SpecError: the source can't be read; then nothing is written.
    """
    notebooks = sorted(source.glob("*.ipynb")) if source.is_dir() else [source]
    if not notebooks:
        raise UsageError(
            "there is no notebook",
            where=source,
            hint="Name a notebook, or the folder of an assignment that holds one.",
        )
    reader = systems()[system]
    drafts, left_out = _read(notebooks, reader)
    folder = source if source.is_dir() else source.parent
    base = name or assignment_name(source.resolve().name if source.is_dir() else source.stem)
    found = []
    for path, draft in drafts.items():
        own = base if len(drafts) == 1 else f"{base}-{assignment_name(path.stem)}"
        files = reader.files(path, source if source.is_dir() else None)
        whole = replace(draft, remarks=(*left_out, *draft.remarks))
        found.append(write_draft(course, whole, own, root=folder, files=files, system=system))
        left_out = []
    return found


def _read(notebooks: list[Path], reader: ForeignSystem) -> tuple[dict[Path, Draft], list[Remark]]:
    """The assignments among notebooks; of several, those that give no points are left out."""
    drafts: dict[Path, Draft] = {}
    nothing: dict[Path, NothingGraded] = {}
    for path in notebooks:
        try:
            drafts[path] = reader.read(path)
        except NothingGraded as error:
            nothing[path] = error
    if not drafts:
        raise next(iter(nothing.values()))
    what = "nothing in it gives points: it is left out; give it to students yourself"
    return drafts, [Remark("look", path.name, what) for path in nothing]

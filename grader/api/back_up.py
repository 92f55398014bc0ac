"""A back-up of a course: its record first, then its folder, so that nothing recorded is missing."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from grader.course.directory import Course
from grader.errors import InfrastructureError, UsageError
from grader.gradebook.backup import copy_database

_NOT_KEPT = (".desk-uploads",)


def back_up(course: Course, target: Path) -> Path:
    """Copy a course into a new folder, while people work in it; return the copy of its database.

    What is handed in after the database was copied may be in the folder and not in the record, and
    never the other way round. The new folder is a course directory itself.

    Raises:
        UsageError: the folder is there already, or inside the course.
        InfrastructureError: it can't be written.
        GradebookError: the database can't be copied.
    """
    target = target.absolute()
    if target.exists() or target.is_symlink():
        raise UsageError("this folder is there already", where=target, hint="Name a new one.")
    if target.resolve().is_relative_to(course.root.resolve()):
        raise UsageError(
            "the back-up would be inside the course",
            where=target,
            hint="Name a folder elsewhere, best on another disk.",
        )
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.mkdir(parents=True, mode=0o700)
        database = copy_database(course.database_url, partial)
        shutil.copytree(
            course.root,
            partial,
            symlinks=True,
            dirs_exist_ok=True,
            ignore=lambda folder, names: _left_out(course, Path(folder), names),
        )
        partial.rename(target)
    except OSError as error:
        raise InfrastructureError(
            f"the back-up can't be written: {error}",
            where=target,
            hint="See whether the disk is full. What was written lies in the folder .partial.",
        ) from error
    return target / database.name


def _left_out(course: Course, folder: Path, names: Collection[str]) -> list[str]:
    """What is copied otherwise, or is on its way and was not acknowledged."""
    if folder == course.root:
        return [n for n in names if n in _NOT_KEPT or n.startswith("gradebook.db")]
    if folder.is_relative_to(course.submissions_dir):
        return [n for n in names if n.startswith(".") and (folder / n).is_dir()]
    return []

"""`grader release`: a folder and a zip for students, whole or not at all."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.course.directory import Assignment
from grader.errors import SpecError, UsageError
from grader.release.contents import released_contents
from grader.release.leaks import find_leaks
from grader.release.marker import MARKER, mark
from grader.storage import replace_folder

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that zip can say
_FILE_MODE = 0o100644


@dataclass(frozen=True)
class ReleasedBundle:
    """What was written: the folder, the zip, and the names of the files in both."""

    folder: Path
    zip: Path
    files: tuple[str, ...]


def release(assignment: Assignment, out: Path) -> ReleasedBundle:
    """Write `out/NAME/` and `out/NAME.zip` for students, replacing an earlier release.

    Raises:
        SpecError: the reference is wrong, or a trace of the solution would be released.
        UsageError: there is a folder or file of that name which no release made.
    """
    folder, archive = out / assignment.name, out / f"{assignment.name}.zip"
    _refuse_foreign(folder, archive, assignment.name)
    contents = released_contents(assignment)
    _refuse_leaks(assignment, contents)
    out.mkdir(parents=True, exist_ok=True)
    # Built beside its place, on the same disk, so that renaming it is all that is left to do.
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{assignment.name}.") as work:
        built, packed, old = (Path(work) / name for name in ("new", "new.zip", "old"))
        _write_folder(built, contents, assignment.name)
        marked = {MARKER: mark(assignment.name), **contents}
        _write_zip(packed, marked, assignment.name)
        replace_folder(built, folder, old=old)
        packed.replace(archive)
    return ReleasedBundle(folder, archive, tuple(contents))


def _refuse_leaks(assignment: Assignment, contents: Mapping[str, bytes]) -> None:
    leaks = find_leaks(assignment, contents)
    if leaks:
        listed = "\n".join(f"    {leak}" for leak in leaks)
        raise SpecError(
            f"the release would show the solution to students:\n{listed}",
            where=assignment.reference_path,
            hint="Put these lines into a solution region, or write the given text differently.",
        )


def _refuse_foreign(folder: Path, archive: Path, name: str) -> None:
    """Refuse to replace what an earlier release of this assignment did not make."""
    if folder.is_symlink() or (folder.exists() and not _made_here(folder / MARKER, name)):
        raise UsageError(
            "this is there already, and no release made it",
            where=folder,
            hint="Move it away, or name another place with --out.",
        )
    if archive.is_symlink() or (archive.exists() and not _packed_here(archive, name)):
        raise UsageError(
            "this file is there already, and no release made it",
            where=archive,
            hint="Move it away, or name another place with --out.",
        )


def _made_here(marker: Path, name: str) -> bool:
    return marker.is_file() and marker.read_bytes() == mark(name)


def _packed_here(archive: Path, name: str) -> bool:
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.comment == mark(name)
    except (OSError, zipfile.BadZipFile):
        return False


def _write_folder(folder: Path, contents: Mapping[str, bytes], name: str) -> None:
    for file, data in contents.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / MARKER).write_bytes(mark(name))


def _write_zip(archive: Path, contents: Mapping[str, bytes], name: str) -> None:
    """Write the zip with fixed times, modes and order: the same contents give the same bytes."""
    with zipfile.ZipFile(archive, "w") as packed:
        packed.comment = mark(name)
        for file, data in contents.items():
            entry = zipfile.ZipInfo(f"{name}/{file}", date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = _FILE_MODE << 16
            packed.writestr(entry, data, compresslevel=9)

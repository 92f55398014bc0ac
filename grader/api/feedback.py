"""Students' pages on their way back into a system: one archive for its bulk upload."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from grader.course.directory import Course
from grader.course.matches import load_matcher
from grader.course.roster import Person, Roster, load_roster
from grader.errors import UsageError
from grader.gradebook.exports.filling import Filled, students_in
from grader.gradebook.store import Gradebook
from grader.lms.lms_table import read_table
from grader.lms.registry import named, system_of
from grader.report.files import file_name, write_pages

PAGE = "feedback.html"
MAX_BYTES = 512 << 20
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Feedback:
    """The archive, how many pages are in it, and what a person should know before the upload."""

    path: Path
    pages: int
    warnings: tuple[str, ...] = ()
    to_match: int = 0


def write_feedback(
    course: Course, assignment: str, system: str, into: Path, *, out: Path | None = None
) -> Feedback:
    """Pack the students' pages of an assignment, each under the name that the system expects.

    Args:
        course: whose pages; `grader report` has written them.
        assignment: which.
        system: by its name.
        into: the table that the system exported: it says who is who there.
        out: default: `exports/ASSIGNMENT-feedback-SYSTEM.zip`.

    Raises:
        UsageError: the table isn't that system's, it takes no feedback, there is no page, or the
            pages are too many bytes.
    """
    course.assignment(assignment)
    table, chosen = read_table(into), named(system)
    if system_of(table, where=into) is not chosen:
        raise UsageError(f"this file is not of {chosen.title}", where=into)
    with Gradebook(course.database_url) as gradebook:
        graded = gradebook.students(assignment)
    folder = course.graded_dir / assignment / "students"
    pages = {s: folder / f"{file_name(s)}.html" for s in sorted(graded)}
    pages = {s: page for s, page in pages.items() if page.is_file() and not page.is_symlink()}
    if not pages:
        raise UsageError(
            f"there is no page of {assignment}",
            where=folder,
            hint=f"Run `grader report {assignment}` first.",
        )
    roster = load_roster(course) or Roster({s: Person(id=s, name=s) for s in sorted(graded)})
    matcher, done = load_matcher(course, roster), Filled()
    members: dict[str, bytes] = {}
    left = MAX_BYTES
    for student, line in students_in(table, chosen, matcher, done):
        page = pages.pop(student, None)
        if page is None:
            done.warnings.append(f"line {line.number}, {student}: no page; left out")
            continue
        place = chosen.feedback_place(table, line)
        if not place:
            done.warnings.append(f"line {line.number}, {student}: {chosen.title} can't tell whose")
            continue
        members[f"{place}/{PAGE}"] = data = page.read_bytes()
        left -= len(data)
        if left < 0:
            raise UsageError(f"the pages are more than {MAX_BYTES >> 20} MB", where=folder)
    done.warnings += [f"{student}: has a page and no line in the file" for student in pages]
    path = out or course.root / "exports" / f"{assignment}-feedback-{system}.zip"
    write_pages(path.parent, {path.name: _archive(members)})
    return Feedback(path, len(members), tuple(done.warnings), matcher.save())


def _archive(members: dict[str, bytes]) -> bytes:
    """The same pages give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()

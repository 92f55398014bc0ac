"""Students' pages on their way back: an archive for a system's upload, or a file for each."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.api.handing_in import intake_config
from grader.api.student_pages import everybody, student_pages
from grader.course.directory import Course
from grader.course.matches import Matcher, load_matcher
from grader.course.roster import Person, Roster, load_roster
from grader.errors import UsageError
from grader.gradebook.exports.filling import Filled, students_in
from grader.gradebook.store import Gradebook
from grader.intake.archive import read_archive
from grader.intake.choice import is_notebook_name
from grader.intake.class_archives import (
    CollectConfig,
    owners_in,
    system_that_made,
)
from grader.intake.zip_names import Naming, words_of
from grader.lms.lms_table import read_table
from grader.lms.registry import is_sidecar, named, system_of
from grader.lms.system import System
from grader.report.files import file_name, write_pages
from grader.report.pdf import print_pages

FOLDER = "folder"
MAX_BYTES = 512 << 20
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Feedback:
    """Where it is, how many pages are in it, and what a person should know before the upload."""

    path: Path
    pages: int
    warnings: tuple[str, ...] = ()
    to_match: int = 0
    upload: str = ""


@dataclass
class _Places:
    """By student, the name under which their page goes back; without its ending."""

    of: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def write_feedback(
    course: Course,
    assignment: str,
    system: str,
    into: Path | None = None,
    *,
    pdf: bool = False,
    out: Path | None = None,
    printed: Callable[[int], None] = lambda pages: None,
) -> Feedback:
    """Write the students' pages of an assignment, each under the name that is expected.

    Args:
        course: whose pages; `grader report` has written them.
        assignment: which.
        system: by its name; or "folder": a file for each student, for whatever takes files.
        into: the file of the system's that says who is who there: a table, or its archive.
        pdf: print each page.
        out: default: in `exports/`.
        printed: told how many pages have been printed.

    Raises:
        UsageError: the file isn't that system's, it takes no feedback, there is no page, or the
            pages are too many bytes.
        InfrastructureError: no page can be printed, or nothing written.
    """
    course.assignment(assignment)
    with Gradebook(course.database_url) as gradebook:
        students = everybody(course, gradebook)
    pages = student_pages(course, assignment, students)
    if not pages:
        raise UsageError(
            f"there is no page of {assignment}",
            where=course.graded_dir / assignment / "students",
            hint=f"Run `grader report {assignment}` first.",
        )
    ending = "pdf" if pdf else "html"
    if system == FOLDER:
        path = out or course.root / "exports" / f"{assignment}-feedback"
        files = _contents({s: (file_name(s), page) for s, page in pages.items()}, pdf, printed)
        write_pages(path, {f"{name}.{ending}": data for name, data in files.items()})
        return Feedback(path, len(files))
    chosen = named(system)
    roster = load_roster(course) or Roster({s: Person(id=s, name=s) for s in sorted(pages)})
    matcher = load_matcher(course, roster)
    places = _places(course, assignment, chosen, into, matcher)
    missing = [s for s in places.of if s not in pages]
    unplaced = [s for s in pages if s not in places.of]
    warnings = [
        *places.warnings,
        *(f"{student}: no page; left out" for student in missing),
        *(f"{student}: has a page and no place in the file" for student in unplaced),
    ]
    wanted = {s: (places.of[s], page) for s, page in pages.items() if s in places.of}
    members = _contents(wanted, pdf, printed)
    path = out or course.root / "exports" / f"{assignment}-feedback-{system}.zip"
    write_pages(path.parent, {path.name: _archive(members, ending)})
    upload = chosen.feedback_upload
    return Feedback(path, len(members), tuple(warnings), matcher.save(), upload)


def _places(
    course: Course, assignment: str, system: System, into: Path | None, matcher: Matcher
) -> _Places:
    if not system.feedback_from:
        raise UsageError(
            f"{system.title} takes no pages in one upload that is known here",
            hint="`grader feedback folder` writes a file for each student.",
        )
    if into is None:
        what = {"table": system.download, "archive": "the assignment → Download Submissions"}
        raise UsageError(
            f"{system.title} itself must say who is who there",
            hint=f"Give its {system.feedback_from} with --into: {what[system.feedback_from]}.",
        )
    if system.feedback_from == "table":
        return _places_of_table(system, into, matcher)
    return _places_of_archive(course, assignment, system, into, matcher)


def _places_of_table(system: System, into: Path, matcher: Matcher) -> _Places:
    table, done, places = read_table(into), Filled(), _Places()
    if system_of(table, where=into) is not system:
        raise UsageError(f"this file is not of {system.title}", where=into)
    for student, line in students_in(table, system, matcher, done):
        if folder := system.feedback_place(table, line):
            places.of[student] = f"{folder}/feedback"
        else:
            places.warnings.append(
                f"line {line.number}, {student}: {system.title} can't tell whose it would be"
            )
    places.warnings += done.warnings
    return places


def _places_of_archive(
    course: Course, assignment: str, system: System, into: Path, matcher: Matcher
) -> _Places:
    if not zipfile.is_zipfile(into):
        raise UsageError(
            f"this is no archive of {system.title}'s",
            where=into,
            hint="It is the zip that the assignment's submissions were downloaded in.",
        )
    config = intake_config(course)
    config.matcher = matcher
    members = list(read_archive(into, wanted=is_sidecar, naming=_naming(config)))
    made = system_that_made(members)
    if made is None or made[0] is not system:
        raise UsageError(f"this archive is not of {system.title}", where=into)
    owned, warnings = owners_in(
        members, system, outer=made[1], assignment=assignment, config=config
    )
    places = _Places(warnings=warnings)
    # The notebook before what lies beside it; else in the order of names.
    for path, place, student in sorted(
        owned, key=lambda o: (not is_notebook_name(o[1].file), o[0])
    ):
        if student not in places.of and (beside := system.feedback_beside(path, place.who)):
            places.of[student] = f"{beside}_feedback"
    return places


def _naming(config: CollectConfig) -> Naming:
    people = config.matcher.roster.people.values()
    return Naming({word for person in people for word in words_of(person.name)})


def _contents(
    pages: Mapping[str, tuple[str, Path]], pdf: bool, printed: Callable[[int], None]
) -> dict[str, bytes]:
    """Return the bytes of the pages, by the name that each shall have."""
    left = MAX_BYTES
    contents = {}
    found = (
        print_pages(dict(pages.values()))
        if pdf
        else ((name, page.read_bytes()) for name, page in pages.values())
    )
    for name, data in found:
        left -= len(data)
        if left < 0:
            raise UsageError(f"the pages are more than {MAX_BYTES >> 20} MB")
        contents[name] = data
        if pdf:
            printed(len(contents))
    return contents


def _archive(members: Mapping[str, bytes], ending: str) -> bytes:
    """The same pages give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(members.items()):
            member = zipfile.ZipInfo(f"{name}.{ending}", _DATE)
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()

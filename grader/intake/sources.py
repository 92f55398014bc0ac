"""One source, in whatever shape it came in, and every submission that it holds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.errors import UsageError
from grader.intake.accepted_files import AcceptedFiles
from grader.intake.archive import is_opened_archive, read_archive
from grader.intake.choice import is_notebook_name
from grader.intake.class_archives import (
    CollectConfig,
    folder_round_the_class,
    submissions_of,
    system_that_made,
)
from grader.intake.collected import Collected, RefusedHandIn
from grader.intake.content import RefusedFileError, Shelf, on_disk
from grader.intake.folder import folder_members
from grader.intake.inbox import is_inbox
from grader.intake.members import Member, RefusedMember
from grader.intake.names import display_name
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.on_roster import known_student, on_roster
from grader.intake.stored import has_layout, load_stored
from grader.intake.students import Students, students_of
from grader.intake.submission import Submission
from grader.intake.tries import read_tries
from grader.intake.zip_names import Naming, words_of
from grader.lms.registry import is_sidecar

_OLD_KEY = ".receipt-key"  # an inbox of version 0.1, in which whoever could hand in could sign
_OLD_INBOX = (
    "This inbox was made by an earlier version. Anybody who could write there could change times "
    "and names, so the times are left out and nobody is late. Check the names. Make a new one with "
    "`grader inbox make`."
)


def submissions_from(source: Path, assignment: str, config: CollectConfig) -> Collected:
    """Return every submission that one source holds."""
    if is_inbox(source):
        tries = read_tries(
            source,
            assignment=assignment,
            matcher=config.matcher,
            known=config.assignments,
            beside=config.beside,
        )
        return _collected(tries.students, source)
    wanted = partial(_is_wanted, beside=config.beside)
    people = config.matcher.roster.people.values()
    naming = Naming({word for person in people for word in words_of(person.name)})
    if source.is_dir():
        found = _from_folder(source, assignment, config, naming)
    elif not source.is_file():
        raise UsageError(
            "there is no such file or folder",
            where=source,
            hint="A source is a folder, a zip or tar archive, an inbox, or a notebook.",
        )
    elif _is_archive(source):
        members = list(read_archive(source, wanted=wanted, shelf=Shelf(), naming=naming))
        found = _grouped(members, source, assignment, config)
    else:
        alone = students_of([_single_file(source)], assignment=assignment)
        found = _on_roster(_collected(alone, source.parent), config)
    return replace(found, warnings=(*naming.remarks, *found.warnings))


def _from_folder(source: Path, assignment: str, config: CollectConfig, naming: Naming) -> Collected:
    wanted = partial(_is_wanted, beside=config.beside)
    folder = source / assignment if (source / assignment).is_dir() else source
    warnings = _foreign_folders(source, assignment, config)
    if has_layout(folder):
        stored, others = load_stored(folder)
        submissions = [_asked_for(s, config.beside) for s in stored]
        refused = tuple(RefusedHandIn(f"{folder}/{display_name(n)}", why) for n, why in others)
        if (source / _OLD_KEY).exists():
            submissions = [replace(s, submitted_at=None) for s in submissions]
            warnings.append(_OLD_INBOX)
        found = Collected(tuple(submissions), refused, tuple(warnings), is_stored=True)
        return _on_roster(found, config)
    if warnings:
        raise UsageError(
            f"it holds the folders of assignments, and none is {assignment}",
            where=source,
            hint=" ".join(warnings),
        )
    members = list(folder_members(folder, wanted=wanted, shelf=Shelf(), naming=naming))
    return _grouped(members, folder, assignment, config)


def _on_roster(found: Collected, config: CollectConfig) -> Collected:
    submissions, warnings = on_roster(found.submissions, config.matcher)
    return replace(found, submissions=tuple(submissions), warnings=(*found.warnings, *warnings))


def _asked_for(submission: Submission, beside: AcceptedFiles) -> Submission:
    """Leave out what lies beside a stored notebook and is not asked for (any more)."""
    if not submission.files:
        return submission
    taken = beside.of(dict(submission.files), {})
    return replace(
        submission,
        files=taken.files,
        notes=(*submission.notes, *taken.notes),
        unused=(*submission.unused, *taken.unused),
    )


def _foreign_folders(source: Path, assignment: str, config: CollectConfig) -> list[str]:
    """Name what an assignment's folder is and is not asked for: it is no student's."""
    named = []
    for folder in sorted(source.iterdir()):
        if folder.name == assignment or not folder.is_dir() or not has_layout(folder):
            continue
        shown = display_name(folder.name)
        if config.assignments and folder.name not in config.assignments:
            named.append(f"{shown}/ was handed in as an assignment that the course does not have.")
        elif not (source / assignment).is_dir():
            named.append(f"{shown}/ is another assignment's.")
    return named


def _single_file(source: Path) -> Member | RefusedMember:
    try:
        content = on_disk(source.resolve(), limit=MAX_FILE_BYTES)
    except RefusedFileError as error:
        return RefusedMember(display_name(source.name), str(error), path=source.name)
    return Member(source.name, content)


def _is_archive(source: Path) -> bool:
    """By its name, or a zip under a name that is no notebook's (one of those is explained)."""
    if is_opened_archive(source.name) or is_notebook_name(source.name):
        return is_opened_archive(source.name)
    return zipfile.is_zipfile(source)


def _is_wanted(path: str, beside: AcceptedFiles) -> bool:
    return is_notebook_name(path) or is_sidecar(path) or beside.wanted(path)


def _grouped(
    members: Iterable[Member | RefusedMember], source: Path, assignment: str, config: CollectConfig
) -> Collected:
    """Sort what a folder or an archive holds, as the system does that made it."""
    refused: list[RefusedHandIn] = []
    found = _without_other_assignments(members, source, assignment, config, refused)
    grouped = _by_system(found, source, assignment, config)
    return replace(grouped, refused=(*refused, *grouped.refused))


def _without_other_assignments(
    members: Iterable[Member | RefusedMember],
    source: Path,
    assignment: str,
    config: CollectConfig,
    refused: list[RefusedHandIn],
) -> list[Member | RefusedMember]:
    """Leave out folders that are called as another assignment of the course: no student is."""
    others = set(config.assignments) - {assignment} - set(config.matcher.roster.people)
    kept: list[Member | RefusedMember] = []
    left_out = set()
    for member in members:
        top, below, _ = (member.path or "").partition("/")
        if top in others and (below or (isinstance(member, Member) and member.is_folder)):
            left_out.add(top)
        else:
            kept.append(member)
    refused += [
        RefusedHandIn(f"{source}/{t}", "it is another assignment's") for t in sorted(left_out)
    ]
    return kept


def _by_system(
    found: list[Member | RefusedMember], source: Path, assignment: str, config: CollectConfig
) -> Collected:
    made = None if config.system == "folder" else system_that_made(found)
    if made is None and config.system in (None, "folder"):
        plain = students_of(
            found,
            assignment=assignment,
            beside=config.beside,
            is_student=lambda name: known_student(name, config.matcher) is not None,
        )
        return _on_roster(_collected(plain, source), config)
    system, outer = made or (config.system, folder_round_the_class(found))
    if system is None or system == "folder" or config.system not in {None, system}:
        shown = [s if isinstance(s, str) else s.title for s in (system, config.system) if s]
        raise UsageError(
            f"it is made as {' does, not '.join(shown)}",
            where=source,
            hint="Leave --from out, and the names of the files tell.",
        )
    students = submissions_of(found, system, outer=outer, assignment=assignment, config=config)
    return _collected(students, source)


def _collected(students: Students, source: Path) -> Collected:
    refused = tuple(RefusedHandIn(f"{source}/{name}", reason) for name, reason in students.refused)
    submissions = tuple(_with_source(s, source) for s in students.submissions)
    return Collected(submissions, refused, students.warnings)


def _with_source(submission: Submission, source: Path) -> Submission:
    known = submission.time_from or submission.submitted_at is None
    return submission if known else replace(submission, time_from=source.name)

"""From the members of a folder or an archive to one submission per student."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from grader.intake.accepted_files import AcceptedFiles
from grader.intake.archive import archive_stem, is_archive_name
from grader.intake.choice import NoChoiceError, is_notebook_name, notebook_stem, resembles
from grader.intake.members import Member, RefusedMember
from grader.intake.names import display_name, student_id
from grader.intake.several_notebooks import what_counts
from grader.intake.submission import Submission, read_submission, unread_submission

# Files that stand where a student's notebook should stand; others (a CSV of the class, a README)
# are no submission.
_INSTEAD_OF_A_NOTEBOOK = (".py", ".pdf", ".html", ".htm", ".doc", ".docx", ".rtf")
_CLASS_FOLDERS = frozenset({"submissions", "submission", "submitted", "handed-in", "class"})
_SAME = 2
_NO_FOLDER = (
    "it lies in no student's folder; of an assignment with several notebooks, each student has a "
    "folder or a zip"
)
_HINT = "Hand in the notebook itself, the .ipynb file."


@dataclass
class Handed:
    """What one student handed in at one time."""

    raw_names: set[str] = field(default_factory=set)
    files: list[Member] = field(default_factory=list)
    refused: list[RefusedMember] = field(default_factory=list)


@dataclass(frozen=True)
class Students:
    """The submissions of one source; `refused` are (name, reason), `warnings` sentences."""

    submissions: tuple[Submission, ...]
    refused: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def students_of(
    members: Iterable[Member | RefusedMember],
    *,
    assignment: str,
    beside: AcceptedFiles | None = None,
    is_student: Callable[[str], bool] = lambda _: False,
) -> Students:
    """Sort files to students: ``STUDENT.ipynb``, ``STUDENT/…`` or ``STUDENT.zip/…``.

    A single folder round the whole class is looked through, unless `is_student` says that it has a
    student's name: then all in it is theirs. A student of whom nothing can be
    taken gets a submission that says so.
    """
    found = list(members)
    refused = [(m.name, m.reason) for m in found if isinstance(m, RefusedMember)]
    handed: dict[str, Handed] = {}
    names = [one.notebook.name for one in beside.notebooks] if beside else []
    outer = _folder_round_the_class(found, [assignment, *names], is_student)
    for member in found:
        inner = _below(outer, member.path)
        if inner is None:
            continue
        raw = _student_of(inner, folder=isinstance(member, Member) and member.is_folder)
        if raw is None:
            if isinstance(member, Member):
                refused.append((display_name(inner), "it is no notebook"))
            continue
        if any(resembles(inner, name) == _SAME for name in names) and "/" not in inner:
            refused.append((display_name(inner), _NO_FOLDER))
            continue
        group = handed.setdefault(student_id(raw), Handed())
        group.raw_names.add(raw)
        if isinstance(member, RefusedMember):
            group.refused.append(member)
        elif not member.is_folder:
            group.files.append(member)
    warnings = [
        f"{' and '.join(sorted(map(repr, group.raw_names)))} were taken for one student, {student}."
        for student, group in handed.items()
        if len(group.raw_names) > 1
    ]
    lonely = PurePosixPath(outer).name
    inside = [_below(outer, m.path) or "" for m in found]
    flat = any(is_notebook_name(path) and "/" not in path for path in inside)
    if lonely and flat and not names and not _is_named_as_a_class(lonely, assignment):
        warnings.append(
            f"{display_name(lonely)}/ was taken for the folder round the class, and each notebook "
            f"in it for a student's. If all are one student's, name one {assignment}.ipynb."
        )
    submissions = [
        submission_of(s, group, assignment, beside=beside) for s, group in sorted(handed.items())
    ]
    return Students(tuple(submissions), tuple(refused), tuple(warnings))


def _student_of(path: str, *, folder: bool) -> str | None:
    """Return the student's name as the path holds it; None for a file that is nobody's."""
    top, _, rest = path.partition("/")
    if is_archive_name(top):
        return archive_stem(top) or top
    if rest or folder:
        return top
    if is_notebook_name(top):
        return notebook_stem(top) or top
    if top.lower().endswith(_INSTEAD_OF_A_NOTEBOOK):
        return PurePosixPath(top).stem
    return None


def submission_of(
    student: str,
    handed: Handed,
    assignment: str,
    *,
    submitted_at: dt.datetime | None = None,
    attempt: int = 1,
    beside: AcceptedFiles | None = None,
) -> Submission:
    """Return a student's submission; where no notebook can be taken, it says why."""
    shown = min(handed.raw_names)
    notebooks = [m for m in handed.files if m.content is not None and is_notebook_name(m.path)]
    try:
        if not notebooks:
            raise NoChoiceError(_why_none(handed))
        counted = what_counts(
            notebooks,
            [*handed.files, *handed.refused],
            assignment=assignment,
            beside=beside or AcceptedFiles(),
        )
    except NoChoiceError as problem:
        return unread_submission(
            str(problem),
            student=student,
            submitted_at=submitted_at,
            attempt=attempt,
            display_name=shown,
        )
    return read_submission(
        counted.content,
        student=student,
        file=counted.file,
        notebook=counted.notebook,
        beside=counted.beside,
        submitted_at=submitted_at,
        attempt=attempt,
        display_name=shown,
    )


def _why_none(handed: Handed) -> str:
    if handed.refused:
        first = handed.refused[0]
        return f"No notebook could be taken: {first.name}: {first.reason}. {_HINT}"
    names = sorted(display_name(PurePosixPath(m.path).name) for m in handed.files)
    found = f"found: {', '.join(names[:5])}{'…' if names[5:] else ''}" if names else "found nothing"
    return f"No notebook was handed in ({found}). {_HINT}"


def _below(outer: str, path: str | None) -> str | None:
    """Return a path relative to the folder round the class; None for that folder itself."""
    if path is None or not path.startswith(outer):
        return None
    return path[len(outer) :] or None


def _folder_round_the_class(
    members: list[Member | RefusedMember], names: Sequence[str], is_student: Callable[[str], bool]
) -> str:
    """Return the prefix that every path has because the class was packed as one folder.

    `names` are the assignment's and those of its notebooks, where it has several.
    """
    outer = ""
    for _ in range(3):
        inner = [p for m in members if (p := _below(outer, m.path)) is not None]
        tops = {path.partition("/")[0] for path in inner}
        if len(tops) != 1 or not any("/" in path for path in inner):
            return outer
        top = tops.pop()
        below = [path[len(top) + 1 :] for path in inner if is_notebook_name(path)]
        if is_student(top) or not _is_class_folder(top, below, names):
            return outer
        outer += f"{top}/"
    return outer


def _is_class_folder(name: str, notebooks: list[str], names: Sequence[str]) -> bool:
    """Say whether a lonely folder holds a class and not the work of one student."""
    if is_archive_name(name):
        return False
    return _is_named_as_a_class(name, names[0]) or _are_of_several_students(notebooks, names)


def _is_named_as_a_class(name: str, assignment: str) -> bool:
    return name.casefold() in _CLASS_FOLDERS or resembles(name, assignment) == 2


def _are_of_several_students(notebooks: list[str], names: Sequence[str]) -> bool:
    folders = {path.partition("/")[0] for path in notebooks if "/" in path}
    flat = [path for path in notebooks if "/" not in path]
    if len(folders) == 1 and not flat:
        return _are_of_several_students([p.partition("/")[2] for p in notebooks], names)
    own = any(resembles(path, name) for path in flat for name in names)
    return len(folders) > 1 or (len(flat) > 1 and not own)

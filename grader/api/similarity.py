"""Which submissions of an assignment are closer than the class."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from grader.api.handing_in import intake_config
from grader.course.directory import Assignment, Course
from grader.course.groups import load_groups
from grader.course.roster import Identity, Person, Roster, load_roster
from grader.course.scheme import load_scheme
from grader.errors import UsageError
from grader.intake.collaborators import declared_collaborators, names_in
from grader.intake.collect import collect
from grader.intake.notebook import read_notebook
from grader.intake.submission import Submission
from grader.release.notebooks import student_notebook
from grader.report.files import write_pages
from grader.report.similarity_page import similarity_page
from grader.similarity.comparison import Comparison, compare
from grader.similarity.fingerprints import Code, fingerprinted

GROUP = "one group"
DECLARED = "a declared collaboration"


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """What came out, with the code that it came from.

    Attributes:
        unread: students whose file is no notebook, with the reason.
    """

    assignment: Assignment
    comparison: Comparison
    codes: Mapping[str, Code] = field(repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)


def similarity(
    course: Course,
    assignment: str,
    sources: Iterable[Path] = (),
    *,
    declared: Mapping[str, Collection[str]] | None = None,
) -> Similarity:
    """Hold the submissions of an assignment against each other; each student's last one.

    Args:
        course: with its groups, where it has any.
        assignment: its name.
        sources: where the submissions are; default: what was collected.
        declared: by student: with whom they say that they worked; default: what their notebooks
            declare, as far as the names are certainly those of students.

    Raises:
        UsageError: there are no submissions.
        SpecError: the assignment, the course file or `groups.csv` is wrong.
    """
    chosen = course.assignment(assignment)
    places = list(sources) or [course.submissions_dir / chosen.name]
    if not sources and not places[0].is_dir():
        raise UsageError(
            "no submissions were collected",
            where=places[0],
            hint=f"Name them, or run `grader collect {chosen.name} SOURCE…` first.",
        )
    submissions = collect(places, assignment=chosen.name, config=intake_config(course)).submissions
    starter = _starter(chosen)
    given = {source.strip() for _, source in starter}
    codes = {s.student: _code(s, given) for s in submissions if not s.problem}
    found = compare(
        codes,
        fingerprinted(starter, every_run=True).fingerprints,
        known=_known(course, chosen.name, declared or _declared(course, submissions)),
    )
    return Similarity(
        assignment=chosen,
        comparison=found,
        codes=codes,
        names={s.student: s.display_name for s in submissions},
        unread={s.student: s.problem for s in submissions if s.problem},
    )


def write_similarity(course: Course, found: Similarity, *, out: Path | None = None) -> Path:
    """Write the page for instructors and return it.

    Raises:
        InfrastructureError: it can't be written.
    """
    page = similarity_page(
        found.comparison,
        found.codes,
        title=found.assignment.spec.title,
        names=found.names,
        unread=found.unread,
        now=dt.datetime.now(dt.UTC),
        template_dirs=course.template_dirs,
    )
    folder = out or course.graded_dir / found.assignment.name
    return write_pages(folder, {"similarity.html": page})[0]


def _starter(assignment: Assignment) -> list[tuple[int, str]]:
    cells = enumerate(student_notebook(assignment).cells, start=1)
    return [(number, cell.source) for number, cell in cells if cell.cell_type == "code"]


def _code(submission: Submission, given: Collection[str]) -> Code:
    """Return the fingerprints of a submission; a cell that was released as it is, is skipped."""
    cells = read_notebook(submission.read(), name=submission.file).cells
    return fingerprinted(
        (number, cell.source)
        for number, cell in enumerate(cells, start=1)
        if cell.kind == "code" and cell.source.strip() not in given
    )


def _declared(course: Course, submissions: Iterable[Submission]) -> dict[str, set[str]]:
    there = {s.student: s for s in submissions if not s.problem}
    roster = load_roster(course) or Roster(
        {s.student: Person(id=s.student, name=s.display_name) for s in there.values()}
    )
    declared: dict[str, set[str]] = {}
    for student, submission in there.items():
        notebook = read_notebook(submission.read(), name=submission.file)
        for text in declared_collaborators(notebook).values():
            for name in names_in(text):
                other = roster.match(Identity(name=name, login=name, email=name)).student
                if other is not None and other != student:
                    declared.setdefault(student, set()).add(other)
    return declared


def _known(
    course: Course, assignment: str, declared: Mapping[str, Collection[str]]
) -> dict[tuple[str, str], str]:
    known: dict[tuple[str, str], str] = {}
    for student, others in declared.items():
        for other in others:
            known[min(student, other), max(student, other)] = DECLARED
    if course.course_file.is_file():
        groups = load_groups(course, load_scheme(course)).members.get(assignment, {})
        for members in groups.values():
            known |= dict.fromkeys(combinations(sorted(members), 2), GROUP)
    return known

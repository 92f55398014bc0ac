"""Which submissions of an assignment are closer than the class."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from grader.api.handing_in import intake_config
from grader.course.directory import Assignment, Course
from grader.course.groups import load_groups
from grader.course.roster import Identity, Person, Roster, load_roster
from grader.course.scheme import load_scheme
from grader.errors import SubmissionError, UsageError
from grader.intake.accepted_files import beside_of
from grader.intake.collaborators import declared_collaborators, names_in
from grader.intake.collect import collect
from grader.intake.notebook import read_notebook
from grader.intake.notebook_cells import ReadNotebook
from grader.intake.submission import Submission
from grader.release.notebooks import student_notebook
from grader.report.files import write_pages
from grader.report.similarity_page import similarity_page
from grader.similarity.comparison import Comparison, compare
from grader.similarity.fingerprints import ComparedCode, fingerprinted

GROUP = "one group"
DECLARED = "a declared collaboration"


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """What came out, with the code that it came from.

    Attributes:
        unread: students whose file is no notebook, with the reason.
        places: by student, what each cell is called, where they hand in several notebooks.
    """

    assignment: Assignment
    comparison: Comparison
    codes: Mapping[str, ComparedCode] = field(repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Sequence[str]] = field(default_factory=dict)


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
    # What lies beside a notebook is not compared; further notebooks are.
    beside = beside_of(chosen) if chosen.spec.notebooks else None
    config = intake_config(course, beside=beside)
    submissions = collect(places, assignment=chosen.name, config=config).submissions
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
        places={s.student: _places(s) for s in submissions} if chosen.spec.notebooks else {},
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
        places=found.places,
        now=dt.datetime.now(dt.UTC),
        template_dirs=course.template_dirs,
    )
    folder = out or course.graded_dir / found.assignment.name
    return write_pages(folder, {"similarity.html": page})[0]


def _starter(assignment: Assignment) -> list[tuple[int, str]]:
    cells = (cell for part in assignment.notebooks for cell in student_notebook(part).cells)
    return [(n, cell.source) for n, cell in enumerate(cells, start=1) if cell.cell_type == "code"]


def _code(submission: Submission, given: Collection[str]) -> ComparedCode:
    """Return the fingerprints of a submission; a cell that was released as it is, is skipped.

    Several notebooks are compared as one, so that a passage that was moved is found, too.
    """
    cells = [cell for _, notebook in _notebooks(submission) for cell in notebook.cells]
    return fingerprinted(
        (number, cell.source)
        for number, cell in enumerate(cells, start=1)
        if cell.kind == "code" and cell.source.strip() not in given
    )


def _notebooks(submission: Submission) -> list[tuple[str, ReadNotebook]]:
    """The notebooks that can be read, with their names."""
    found = []
    for name, data in sorted(submission.read_notebooks().items()):
        with suppress(SubmissionError):
            found.append((name, read_notebook(data, name=name or submission.file)))
    return found


def _places(submission: Submission) -> list[str]:
    return [
        f"cell {number} of {name}.ipynb"
        for name, notebook in _notebooks(submission)
        for number in range(1, len(notebook.cells) + 1)
    ]


def _declared(course: Course, submissions: Iterable[Submission]) -> dict[str, set[str]]:
    there = {s.student: s for s in submissions if not s.problem}
    roster = load_roster(course) or Roster(
        {s.student: Person(id=s.student, name=s.display_name) for s in there.values()}
    )
    declared: dict[str, set[str]] = {}
    for student, submission in there.items():
        texts = [
            text
            for _, notebook in _notebooks(submission)
            for text in declared_collaborators(notebook).values()
        ]
        for text in texts:
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
        scheme = load_scheme(course)
        item = scheme.item_of(assignment)
        groups = load_groups(course, scheme).members
        for members in groups.get(item.id, {}).values() if item else ():
            known |= dict.fromkeys(combinations(sorted(members), 2), GROUP)
    return known

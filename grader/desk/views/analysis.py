"""The class in numbers: how the marks lie, what each question tells, and what goes wrong most."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup
from starlette.responses import Response

from grader.api.class_list import ClassLine, ClassRecord
from grader.course.directory import Assignment
from grader.desk.may import Action
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit
from grader.desk.views.course import assignment_of, of_assignment
from grader.desk.views.lists import paged
from grader.gradebook.changes import Changes
from grader.grading.verdict import Verdict
from grader.report.cases import join_cases
from grader.report.charts import fifths_svg, histogram_svg
from grader.report.class_page import sorting_key
from grader.report.item_analysis import LEAST, ItemAnalysis, Scored, item_analysis
from grader.report.statistics import ClassStatistics, class_statistics, histogram, summarised

_GROUPS = 8
_NAMED = 30
"""Names beside a number; a page of their own has them all."""


@dataclass(frozen=True, kw_only=True)
class FailingTogether:
    """Students whose notebooks miss the very same tests."""

    tests: tuple[str, ...]
    students: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TestNumbers:
    """What the tests of a class say together."""

    __test__ = False

    statistics: ClassStatistics
    together: tuple[FailingTogether, ...]

    def groups(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Return by its name in addresses what there is to say of some students, and of whom."""
        of = [
            *(
                (
                    f"They miss: {t.question} {t.title}",
                    tuple(m.student for m in t.missed),
                    ("test", t.question, t.name),
                )
                for t in self.statistics.tests
            ),
            *(
                (one.sentence, one.who, ("kind", one.question, one.kind))
                for one in self.statistics.diagnosed
            ),
            *(
                (f"They miss: {', '.join(one.tests)}", one.students, ("together", *one.tests))
                for one in self.together
            ),
        ]
        return {group_name(*words): (says, students) for says, students, words in of}


def group_name(*words: str) -> str:
    """Return what some students are called in addresses, the same as long as the tests are."""
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:16]


def show_analysis(visit: Visit) -> Response:
    """Show the numbers of an assignment as they are now."""
    assignment = assignment_of(visit)
    changes = visit.course.gradebook.changes()
    record = visit.course.record(assignment, visit.now, changes)
    lines = _counted(record)
    tests = _kept_tests(visit, assignment, changes, lines)
    marks = [line.mark.points for line in lines if line.mark]
    return page(
        visit,
        "analysis",
        spec=assignment.spec,
        assignment=assignment.name,
        record=record,
        summary=summarised(marks),
        marks=len(marks),
        waits=sum(bool(line.mark and line.mark.waits) for line in lines),
        histogram=histogram_svg(histogram(marks, assignment.spec.points)),
        questions=[
            (one, *_charts(one))
            for one in item_analysis(assignment.spec, [_scored(line) for line in lines])
        ],
        tests=tests,
        names={line.student: line.name for line in record.lines if visit.sees(line.student)},
        most=_NAMED,
        group_name=group_name,
        least=LEAST,
    )


def show_group(visit: Visit) -> Response:
    """Name all students of whom the numbers say the same."""
    assignment = assignment_of(visit)
    changes = visit.course.gradebook.changes()
    record = visit.course.record(assignment, visit.now, changes)
    tests = _kept_tests(visit, assignment, changes, _counted(record))
    found = tests.groups().get(visit.asked("of", 40))
    if found is None:  # the numbers are others by now
        return go(visit.request.url.path.rpartition("/")[0])
    says, students = found
    names = {line.student: line.name for line in record.lines if visit.sees(line.student)}
    seen = sorted(
        (student for student in students if student in names),
        key=lambda s: (sorting_key(names[s]), s),
    )
    return page(
        visit,
        "analysis_group",
        spec=assignment.spec,
        assignment=assignment.name,
        says=says,
        list=paged(visit, seen),
        names=names,
    )


def _counted(record: ClassRecord) -> list[ClassLine]:
    return [line for line in record.lines if line.mark and not line.standing.excused]


def _kept_tests(
    visit: Visit, assignment: Assignment, changes: Changes, lines: Sequence[ClassLine]
) -> TestNumbers:
    """The numbers of the tests; they are computed once for what the record has."""
    return visit.course.kept.get(
        ("tests", assignment.name),
        (changes.verdicts.get(assignment.name), assignment.spec),
        lambda: _tests(visit, assignment, lines),
    )


def _charts(one: ItemAnalysis) -> tuple[Markup, Markup]:
    fifths = fifths_svg(
        one.fifths, title=f"{one.question}: mean by fifth of the class", name=f"{one.question}-f"
    )
    spread = histogram_svg(one.histogram, title=f"{one.question}: points", name=f"{one.question}-h")
    return fifths if one.fifths else Markup(), spread


def _scored(line: ClassLine) -> Scored:
    """A student's points by question; what waits for a person is not known."""
    points: dict[str, Decimal] = {}
    waiting = line.mark.waiting if line.mark else ()
    for question in line.verdict.questions if line.verdict else ():
        given = line.given.get(question.id)
        if question.id not in waiting:
            points[question.id] = question.points + (given[0] if given else Decimal(0))
    return Scored(student=line.student, points=points)


def _tests(visit: Visit, assignment: Assignment, lines: Sequence[ClassLine]) -> TestNumbers:
    """Read the tests of what counts: the one thing for which whole verdicts are needed."""
    counted = {(v.student, v.submission.attempt) for line in lines if (v := line.verdict)}
    verdicts = [
        entry.verdict
        for entry in visit.course.gradebook.current_entries(assignment.name)
        if (entry.verdict.student, entry.verdict.submission.attempt) in counted
    ]
    statistics = class_statistics(verdicts, assignment.spec.points)
    return TestNumbers(statistics=statistics, together=tuple(_together(verdicts)))


def _together(verdicts: Sequence[Verdict]) -> list[FailingTogether]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for verdict in verdicts:
        missed = tuple(
            f"{test.question} {test.title}" for test in join_cases(verdict.tests) if not test.passed
        )
        if missed:
            groups.setdefault(missed, []).append(verdict.student)
    largest = sorted(groups.items(), key=lambda group: -len(group[1]))[:_GROUPS]
    return [
        FailingTogether(tests=tests, students=tuple(students))
        for tests, students in largest
        if len(students) > 1
    ]


_ANALYSIS = "/c/{course}/a/{assignment}/analysis"
PAGES = [
    Page(method="GET", path=path, view=view, action=Action.SEE_CLASS, thing=of_assignment)
    for path, view in ((_ANALYSIS, show_analysis), (f"{_ANALYSIS}/who", show_group))
]

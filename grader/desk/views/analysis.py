"""The class in numbers: how the marks lie, what each question tells, and what goes wrong most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup
from starlette.responses import Response

from grader.api.class_list import ClassLine
from grader.course.directory import Assignment
from grader.desk.may import Action
from grader.desk.rendering import page
from grader.desk.routing import Page, Visit
from grader.desk.views.course import assignment_of, of_assignment
from grader.grading.verdict import Verdict
from grader.report.cases import join_cases
from grader.report.charts import fifths_svg, histogram_svg
from grader.report.item_analysis import LEAST, ItemAnalysis, Scored, item_analysis
from grader.report.statistics import ClassStatistics, class_statistics, histogram, summarised

_GROUPS = 8


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


def show_analysis(visit: Visit) -> Response:
    """Show the numbers of an assignment as they are now."""
    assignment = assignment_of(visit)
    changes = visit.course.gradebook.changes()
    record = visit.course.record(assignment, visit.now, changes)
    lines = [line for line in record.lines if line.mark and not line.standing.excused]
    tests = visit.course.kept.get(
        ("tests", assignment.name),
        (changes.verdicts.get(assignment.name), assignment.spec),
        lambda: _tests(visit, assignment, lines),
    )
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
        least=LEAST,
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


PAGES = [
    Page(
        method="GET",
        path="/c/{course}/a/{assignment}/analysis",
        view=show_analysis,
        action=Action.SEE_CLASS,
        thing=of_assignment,
    )
]

"""Totals as pages: the class's, for instructors, and one for each student."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from grader.course.course_file import CourseFile
from grader.gradebook.marks import MarkEvent
from grader.gradebook.totals.need import Need, plainly
from grader.gradebook.totals.rounding import hundredths
from grader.gradebook.totals.statistics import totals_statistics
from grader.gradebook.totals.total_lines import ItemTotal, State, StudentTotal
from grader.report.charts import histogram_svg
from grader.report.class_page import relative_link, sorting_key
from grader.report.spread_chart import spread_svg
from grader.report.statistics import histogram
from grader.report.templates import render

_PLAIN_TARGETS = ("50", "60", "70", "80", "90")


def targets_of(course: CourseFile) -> tuple[str, ...]:
    """Return what a student's page looks ahead to: the letters, best first, or round totals."""
    if course.letters is None:
        return _PLAIN_TARGETS
    bands = course.letters.bands
    return tuple(sorted(bands, key=lambda name: -bands[name]))


def student_totals_page(
    total: StudentTotal,
    *,
    course: CourseFile,
    now: dt.datetime,
    needs: Sequence[Need] = (),
    history: Sequence[MarkEvent] = (),
    shown_as: str | None = None,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return one student's page as one self-contained HTML file; it names nobody else.

    Args:
        total: whose page it is.
        course: with its titles and rules.
        now: when the page is made.
        needs: what would be needed for each target, where anything waits.
        history: every change of this student's marks, oldest first.
        shown_as: the student's name, where it is known.
        template_dirs: a course's own template folders.
    """
    return render(
        "report/totals_student.html.j2",
        {
            "total": total,
            "name": shown_as or total.student,
            "course": course,
            "needs": [(need, plainly(need)) for need in needs] if total.waiting else [],
            "history": history,
            "now": now.astimezone(course.zone),
            "local": _local(course),
            "State": State,
            "titles": {item.id: item.title for item in course.items},
            "marked": _marked(total),
        },
        template_dirs,
    )


def class_totals_page(
    totals: Sequence[StudentTotal],
    *,
    course: CourseFile,
    links: Mapping[str, str],
    now: dt.datetime,
    names: Mapping[str, str] | None = None,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the class's page as one self-contained HTML file, for instructors only.

    Args:
        totals: of everybody.
        course: with its titles and rules.
        links: each student's page, as a path relative to this one.
        now: when the page is made.
        names: of students, where they are known.
        template_dirs: a course's own template folders.
    """
    names = names or {}
    rows = sorted(totals, key=lambda t: sorting_key(names.get(t.student, t.student)))
    statistics = totals_statistics(rows, course)
    percents = [hundredths(percent) for percent in statistics.percents]
    top = max([Decimal(100), *percents])
    return render(
        "report/totals_class.html.j2",
        {
            "rows": rows,
            "names": names,
            "course": course,
            "links": {student: relative_link(path) for student, path in links.items()},
            "statistics": statistics,
            "histogram": histogram_svg(
                histogram(percents, top), title="Distribution of totals", unit="percent"
            ),
            "spreads": spread_svg([(c.title, c.scores) for c in statistics.components]),
            "letters": _letter_rows(statistics.letters),
            "remarks": {total.student: remarks(total) for total in rows},
            "now": now.astimezone(course.zone),
            "State": State,
        },
        template_dirs,
    )


def remarks(total: StudentTotal) -> list[str]:
    """Return what an instructor should see at once beside a total."""
    found = [f"not passed: {title}" for title in total.failed]
    if total.waiting:
        count = len(total.waiting)
        found.append(f"{count} {'item waits' if count == 1 else 'items wait'}")
    missing = [item.title for item in total.items if item.state is State.MISSING]
    if missing:
        found.append(f"not handed in: {', '.join(missing)}")
    refused = [item.title for item in total.items if item.refused]
    if refused:
        found.append(f"too late: {', '.join(refused)}")
    return found


def _letter_rows(letters: Mapping[str, int]) -> list[tuple[str, int, float]]:
    most = max(letters.values(), default=0) or 1
    return [(letter, count, count / most) for letter, count in letters.items()]


def _marked(total: StudentTotal) -> Fraction:
    """Percent of the final grade that has been marked, extra credit apart."""
    return sum((_weight(item) for item in total.items), Fraction(0))


def _weight(item: ItemTotal) -> Fraction:
    return Fraction(0) if item.extra_credit else item.weight


def _local(course: CourseFile) -> Callable[[dt.datetime], dt.datetime]:
    def local(time: dt.datetime) -> dt.datetime:
        return time.astimezone(course.zone)

    return local

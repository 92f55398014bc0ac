"""The totals of the course, by the rules of its course file: everybody's, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import HTMLResponse, Response

from grader.api.totals import CourseTotals
from grader.desk.headers import STUDENT_CSP
from grader.desk.may import Action
from grader.desk.rendering import page
from grader.desk.routing import NotFound, Page, Visit
from grader.desk.views.lists import listed
from grader.desk.views.students import of_student
from grader.errors import GraderError
from grader.gradebook.totals.rounding import hundredths
from grader.gradebook.totals.statistics import totals_statistics
from grader.gradebook.totals.total_lines import StudentTotal
from grader.report.charts import histogram_svg
from grader.report.class_page import sorting_key
from grader.report.statistics import histogram
from grader.report.totals_pages import remarks, student_totals_page


@dataclass(frozen=True, kw_only=True)
class TotalRow:
    """One student's total in the list."""

    name: str
    section: str
    total: StudentTotal
    remarks: tuple[str, ...]


_FITS = {
    "waits": lambda row: bool(row.total.waiting),
    "failed": lambda row: bool(row.total.failed),
    "remarks": lambda row: bool(row.remarks),
}
FILTERS = {"waits": "not complete", "failed": "must pass an item", "remarks": "with remarks"}
_SORTS = {
    "section": lambda row: row.section,
    "so-far": lambda row: row.total.so_far if row.total.so_far is not None else Decimal(-1),
    "total": lambda row: row.total.total if row.total.total is not None else row.total.at_most,
}


def show_totals(visit: Visit) -> Response:
    """Show everybody's total, what is still open of it, and the rules that it follows.

    Without them it is said what to do first: every page leads here.
    """
    people = visit.course.roster.people
    try:
        computed = _computed(visit)
    except GraderError as error:
        if isinstance(error.__cause__, SQLAlchemyError):
            raise
        return _no_totals(visit, error)
    if not computed.totals:
        return _no_totals(visit)
    rows = [
        TotalRow(
            name=computed.names.get(student, student),
            section=people[student].section if student in people else "",
            total=total,
            remarks=tuple(remarks(total)),
        )
        for student, total in computed.totals.items()
    ]
    rows.sort(key=lambda row: (sorting_key(row.name), row.total.student))
    if visit.me.section:
        rows = [row for row in rows if row.section == visit.me.section]
    statistics = totals_statistics([row.total for row in rows], computed.scheme)
    percents = [hundredths(percent) for percent in statistics.percents]
    return page(
        visit,
        "totals",
        list=listed(
            visit,
            rows,
            filters=_FITS,
            sorts=_SORTS,
            text=lambda row: f"{row.name} {row.total.student}",
        ),
        filters=FILTERS,
        sections=sorted({row.section for row in rows if row.section}),
        scheme=computed.scheme,
        remarks=computed.remarks,
        letters=statistics.letters,
        histogram=histogram_svg(
            histogram(percents, max([Decimal(100), *percents])),
            title="Distribution of totals so far",
            unit="percent",
        ),
    )


def _no_totals(visit: Visit, error: GraderError | None = None) -> Response:
    return page(
        visit,
        "no_totals",
        has_file=visit.course.course.course_file.is_file(),
        problem=error.what if error else "",
        where=_place(visit, error) if error else "",
        hint=(error.hint or "") if error else "",
        everybody=len(visit.course.roster.people),
    )


def _place(visit: Visit, error: GraderError) -> str:
    """Where it is: a file in the course directory, or whose mark, for who sees everybody's."""
    root = f"{visit.course.course.root}/"
    return "" if visit.me.section else (error.where or "").replace(root, "")


def show_student_total(visit: Visit) -> Response:
    """Show how one student's total comes about, in a frame."""
    computed, student = _computed(visit), visit.named("student")
    if student not in computed.totals:
        raise NotFound
    here, name = f"/c/{visit.course.slug}", computed.names.get(student) or student
    own = f"{here}/s/{quote(student, safe='')}"
    return page(
        visit,
        "framed",
        title=f"The total of {name}",
        back=[("Totals", f"{here}/totals"), (name, own)],
        alone=f"{own}/total/page",
    )


def show_student_total_alone(visit: Visit) -> Response:
    """Show how one student's total comes about, line by line."""
    computed, student = _computed(visit), visit.named("student")
    if student not in computed.totals:
        raise NotFound
    html = student_totals_page(
        computed.of(student),
        course=computed.scheme,
        now=computed.now,
        shown_as=computed.names.get(student),
        template_dirs=visit.course.course.template_dirs,
    )
    return HTMLResponse(html, headers={"content-security-policy": STUDENT_CSP})


def _computed(visit: Visit) -> CourseTotals:
    return visit.course.totals(visit.course.gradebook.changes(), visit.now)


PAGES = [
    Page(method="GET", path="/c/{course}/totals", view=show_totals, action=Action.SEE_CLASS),
    Page(
        method="GET",
        path="/c/{course}/s/{student}/total",
        view=show_student_total,
        action=Action.SEE_CLASS,
        thing=of_student,
    ),
    Page(
        method="GET",
        path="/c/{course}/s/{student}/total/page",
        view=show_student_total_alone,
        action=Action.SEE_CLASS,
        thing=of_student,
    ),
]

"""The class's page: everyone's marks, their distribution, and what went wrong most."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from grader.course.spec import AssignmentSpec
from grader.grading.suite_faults import suite_faults
from grader.grading.verdict import Outcome, Verdict
from grader.report.charts import histogram_svg
from grader.report.statistics import class_statistics
from grader.report.templates import render

MAX_BREACHES = 20
"""Of one student; the rest are on the student's own page."""


def class_page(
    verdicts: Sequence[Verdict],
    *,
    spec: AssignmentSpec,
    links: Mapping[str, str],
    now: dt.datetime | None = None,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the page as one self-contained HTML file, for instructors only.

    Args:
        verdicts: one per student; all their text is taken as hostile.
        spec: of the assignment.
        links: each student's page, as a path relative to this one.
        now: when the page is made, if it should say so.
        template_dirs: a course's own template folders.
    """
    rows = sorted(verdicts, key=lambda v: sorting_key(v.student))
    statistics = class_statistics(rows, spec.machine_points)
    return render(
        "report/class.html.j2",
        {
            "spec": spec,
            "rows": rows,
            "marks": {v.student: {q.id: q for q in v.questions} for v in rows},
            "links": {student: relative_link(path) for student, path in links.items()},
            "statistics": statistics,
            "histogram": histogram_svg(statistics.histogram),
            "broken": [v for v in rows if v.outcome is Outcome.INFRASTRUCTURE_ERROR],
            "faults": suite_faults(rows),
            "breaches": [(v, breach) for v in rows for breach in v.breaches[:MAX_BREACHES]],
            "now": now,
        },
        template_dirs,
    )


def sorting_key(name: str) -> tuple[str, str]:
    """Ö beside O, as a reader looks for it."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c)), name


def relative_link(path: str) -> str | None:
    """A link to a page beside this one; nothing else is linked, `javascript:` least of all."""
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or path.startswith(("/", "\\")):
        return None
    return quote(path, safe="/%._-~#")

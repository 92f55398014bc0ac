"""What one student may see of the course's total, made of what is published alone."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.groups import load_groups, with_teams
from grader.errors import GraderError
from grader.gradebook.course_marks import course_marks
from grader.gradebook.course_tries import graded_items
from grader.gradebook.hand_marks import MarkReader
from grader.gradebook.store import Gradebook
from grader.gradebook.totals.need import Need, needs
from grader.gradebook.totals.students import class_entries, student_total
from grader.gradebook.totals.total_lines import StudentTotal
from grader.report.totals_pages import targets_of

LOG = logging.getLogger("grader.desk")
_UNPUBLISHED = "Not published yet"


@dataclass(frozen=True, kw_only=True)
class OwnTotals:
    """One student's total.

    Attributes:
        marked: percent of the final grade that is published, extra credit apart.
        needs: what would be needed in the rest, for each letter or round total; empty where
            nothing waits.
    """

    scheme: CourseFile
    total: StudentTotal
    marked: Fraction
    needs: tuple[Need, ...] = ()


def own_totals(
    course: Course,
    scheme: CourseFile,
    gradebook: Gradebook,
    student: str,
    *,
    marks: MarkReader,
    published: Collection[str],
    now: dt.datetime,
    with_needs: bool = True,
) -> OwnTotals | None:
    """Return a student's total; None while it can't be computed, which the log says why.

    Args:
        course: with its groups.
        scheme: its course file, as `load_scheme` reads it.
        gradebook: of the course.
        student: whose.
        marks: what students may see of what people said.
        published: ids of the items whose marks are out.
        now: decides what is due.
        with_needs: whether to say what would be needed, too.
    """
    if scheme.left_open:
        return None
    try:
        groups = load_groups(course, scheme)
        few = with_teams([student], groups.members)
        entries = class_entries(
            scheme,
            course_marks(course, gradebook, scheme=scheme, marks=marks, students=few),
            now=now,
            students=[student],
            groups=groups.members,
            graded=graded_items(scheme, gradebook),
        )[student]
    except GraderError as error:  # what it names may be another student's
        LOG.warning("the total of %s can't be computed: %s", student, error)
        return None
    own = [
        entry.held_back(now) if entry.item.id in published else entry.kept_back(_UNPUBLISHED)
        for entry in entries
    ]
    total = student_total(student, scheme, own)
    counted = (item.weight for item in total.items if not item.extra_credit)
    return OwnTotals(
        scheme=scheme,
        total=total,
        marked=sum(counted, Fraction(0)),
        needs=tuple(needs(scheme, own, targets_of(scheme))) if total.waiting and with_needs else (),
    )

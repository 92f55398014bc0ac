"""The `grader` command as Python functions.

    from grader.api import find_course, grade
    course = find_course("courses/comp541")
    graded = grade(course, "mlp-backprop", ["submissions/"])
    for verdict in graded.verdicts:
        print(verdict.student, verdict.points, verdict.max_points)

Every function raises `grader.errors.GraderError` with what happened, where, and what to do next.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.api.checking import CheckedNotebook, check
    from grader.api.courses import find_course, init_course, release
    from grader.api.graded import Graded
    from grader.api.grading import grade
    from grader.api.handing_in import collect_submissions
    from grader.api.inboxes import make_inbox, submit, verify_receipt
    from grader.api.keeping import end_kept_judges, kept_check
    from grader.api.pages import write_report
    from grader.api.totals import CourseTotals, course_totals, write_totals
    from grader.api.validation import Fault, validate
    from grader.grading.progress import Progress

_HOMES = {
    "CheckedNotebook": "checking",
    "check": "checking",
    "find_course": "courses",
    "init_course": "courses",
    "release": "courses",
    "end_kept_judges": "keeping",
    "kept_check": "keeping",
    "Graded": "graded",
    "grade": "grading",
    "collect_submissions": "handing_in",
    "make_inbox": "inboxes",
    "submit": "inboxes",
    "verify_receipt": "inboxes",
    "write_report": "pages",
    "CourseTotals": "totals",
    "course_totals": "totals",
    "write_totals": "totals",
    "Fault": "validation",
    "validate": "validation",
    "Progress": "grader.grading.progress",
}

__all__ = [
    "CheckedNotebook",
    "CourseTotals",
    "Fault",
    "Graded",
    "Progress",
    "check",
    "collect_submissions",
    "course_totals",
    "end_kept_judges",
    "find_course",
    "grade",
    "init_course",
    "kept_check",
    "make_inbox",
    "release",
    "submit",
    "validate",
    "verify_receipt",
    "write_report",
    "write_totals",
]


def __getattr__(name: str) -> Any:
    """Load a function when it is first used: torch and SQLAlchemy take long to import."""
    if name not in _HOMES:
        raise AttributeError(name)
    home = _HOMES[name]
    return getattr(import_module(home if "." in home else f"grader.api.{home}"), name)

"""`grader report`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.printable import printable_line

if TYPE_CHECKING:
    from grader.api.graded import Graded
    from grader.api.pages import Report
    from grader.gradebook.standings import Standing
    from grader.gradebook.whole_mark import WholeMark
    from grader.grading.verdict import Verdict
    from grader.suite.results import TestResult


@click.command("report")
@click.argument("assignment")
@click.option("--out", type=click.Path(path_type=Path), help="Default: graded/ASSIGNMENT.")
@course_option
@json_option
def command(assignment: str, out: Path | None, course_dir: Path | None, as_json: bool) -> None:
    """Write the pages of an assignment from the gradebook.

    Nothing is run, and pages that have not changed are left alone. Use it after marking by
    hand, after a change of the templates or the roster, or after the due date, when tests shown
    `after_due` may be seen.

    \b
    Example:
      grader report mlp-backprop
    """
    from grader.api.mark_notes import notes_on_marks
    from grader.api.pages import report

    course = find(course_dir)
    written = report(course, assignment, out=out)
    for note in notes_on_marks(course, course.assignment(assignment)):
        click.echo(f"Note: {printable_line(note)}", err=True)
    if as_json:
        print_json({"assignment": written.assignment, **document(written)})
        return
    from grader.cli.table import print_findings

    print_findings(written)
    click.echo(written.class_page)


def document(report: Report | Graded) -> dict[str, Any]:
    """What the pages say, as part of a JSON document: everybody, and what is worth a look."""
    verdicts = {v.student: v for v in report.verdicts}
    return {
        "class_page": str(report.class_page),
        "overview": [
            {
                "kind": finding.kind,
                "text": finding.text,
                "grave": finding.grave,
                "students": list(finding.students),
                "tests": list(finding.tests),
            }
            for finding in report.findings
        ],
        "submissions": [
            _mark_fields(report.marks.get(v.student))
            | _standing_fields(report.standings.get(v.student))
            | _verdict_fields(v, str(report.pages.get(v.student, "")))
            for v in report.verdicts
        ],
        "not_handed_in": [
            {"student": student} | _mark_fields(report.marks.get(student)) | _standing_fields(one)
            for student, one in report.standings.items()
            if student not in verdicts
        ],
    }


def _mark_fields(mark: WholeMark | None) -> dict[str, Any]:
    """Machine and people together."""
    if mark is None:
        return {"mark": None}
    return {
        "mark": {
            "words": mark.words,
            "points": mark.points,
            "max_points": mark.max_points,
            "waits": mark.waits,
            "waiting": list(mark.waiting),
            "by_hand": mark.by_hand,
        }
    }


def _standing_fields(one: Standing | None) -> dict[str, Any]:
    if one is None:
        return {}
    return {
        "name": one.name,
        "on_roster": one.on_roster,
        "handed_in": one.handed_in,
        "due": one.due,
        "extended": one.extended,
        "late": one.late,
        "points_after_late_days": None if one.earned is None else round(float(one.earned), 2),
        "refused": one.refused,
        "excused": one.excused,
        "absent": one.absent,
        "group": list(one.group),
    }


def _diagnosis_fields(test: TestResult) -> dict[str, str] | None:
    """What kind of mistake a wrong value shows: for instructors, whenever students read it."""
    from grader.diagnosis.kinds import sentence_of

    kind = test.diagnosis if isinstance(test.diagnosis, str) else ""
    return {"kind": kind, "sentence": sentence_of(kind)} if kind else None


def _verdict_fields(v: Verdict, page: str) -> dict[str, Any]:
    import msgspec

    return {
        "student": v.student,
        "outcome": str(v.outcome),
        "points": v.points,
        "max_points": v.max_points,
        "reason": v.reason,
        "notes": list(v.notes),
        "missing_modules": list(v.missing_modules),
        "breaches": [msgspec.structs.asdict(violation) for violation in v.violations],
        "questions": [msgspec.structs.asdict(question) for question in v.questions],
        "report": page,
        "tests": [
            {
                "name": t.name,
                "question": t.question,
                "points": t.points,
                "max_points": t.max_points,
                "outcome": str(t.outcome),
                "partly": t.partly,
                "measured": t.measured,
                "message": t.message,
                "diagnosis": _diagnosis_fields(t),
            }
            for t in v.tests
        ],
    }

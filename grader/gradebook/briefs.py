"""What marks are made of, apart from the rest of a verdict: lists of a class read nothing else.

A verdict holds every test with its messages, and its row the executed notebook. A class's list,
the totals and the numbers of a course need points, answers and times: a tenth of the bytes, in
rows of their own, so that a database reads past no notebook to come to them.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from grader.gradebook.hand_ins import timed, times_of
from grader.gradebook.tables import BriefRow
from grader.grading.verdict import Verdict, verdict_from_json, verdict_to_json


def brief(verdict: Verdict) -> Verdict:
    """Return a verdict without tests, notes and what produced it."""
    return msgspec.structs.replace(
        verdict,
        tests=(),
        violations=(),
        notes=(),
        collaborators={},
        missing_modules=(),
        usage=type(verdict.usage)(),
        provenance=None,
    )


def brief_row(verdict: Verdict, number: int) -> BriefRow:
    """Return the row beside a verdict's own."""
    return BriefRow(
        verdict=number,
        assignment=verdict.assignment,
        student=verdict.student,
        attempt=verdict.submission.attempt,
        is_mark=verdict.outcome.is_mark,
        body=verdict_to_json(brief(verdict), indent=0).decode(),
    )


def tried_briefs(session: Session, assignment: str) -> dict[int, Verdict]:
    """Return what holds of every attempt, or the newest of an attempt without a mark, by entry.

    In the order of the record, with the hand-in times that hold now.
    """
    query = select(BriefRow.verdict, BriefRow.body).where(BriefRow.verdict.in_(_tried(assignment)))
    rows = session.execute(query.order_by(BriefRow.verdict)).all()
    times = times_of(session, assignment)
    return {number: timed(verdict_from_json(body.encode()), times) for number, body in rows}


def _tried(assignment: str) -> Any:
    """The entry of each attempt: the newest that is a mark, else the newest."""
    newest_mark = func.max(case((BriefRow.is_mark, BriefRow.verdict)))
    return (
        select(func.coalesce(newest_mark, func.max(BriefRow.verdict)))
        .where(BriefRow.assignment == assignment)
        .group_by(BriefRow.student, BriefRow.attempt)
    )

"""From what came in, in whatever shape, to clean submissions: nothing lost, nothing trusted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from grader.errors import UsageError
from grader.intake.class_archives import CollectConfig
from grader.intake.collected import Collected, RefusedHandIn
from grader.intake.names import look_alikes
from grader.intake.sources import submissions_from
from grader.intake.submission import Submission

_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)


def collect(
    sources: Iterable[Path],
    *,
    assignment: str,
    counts: Literal["last", "best"] = "last",
    limit: int = 0,
    due: dt.datetime | None = None,
    costless: Collection[tuple[str, int]] = (),
    config: CollectConfig | None = None,
) -> Collected:
    """Collect the submissions of an assignment.

    A source is a folder, a zip or tar of ``STUDENT.ipynb`` or ``STUDENT/…`` (any depth; see
    `choice.choose_notebook` for several notebooks), the archive or folder of a system
    (`lms.archives`), an inbox, a folder that `store` wrote, or one notebook. Of a student who is
    in several sources, each is an attempt, in the order of time where times are known, else in
    the order of the sources.

    Args:
        sources: what came in.
        assignment: its name.
        counts: "last": one submission per student, the last by time and attempt, with the number
            of earlier ones; "best": all of them, for the marks to decide.
        due: with "last", also the last that came until then, and those in between: which came too
            late to be accepted is for the marks to decide.
        limit: attempts beyond this number are refused; 0 for none.
        costless: attempts that don't count towards it, of those that were stored: student and
            attempt. What else has such a number, as in a system's archive, is another.
        config: what the course knows of students and times; which system the sources are from.

    Raises:
        UsageError: a source is not there, or there is no submission in any of them.
    """
    attempts: dict[str, list[Submission]] = {}
    refused: list[RefusedHandIn] = []
    warnings: list[str] = []
    looked_at = []
    free: set[tuple[str, int, str]] = set()
    for source in sources:
        looked_at.append(str(source))
        found = submissions_from(source, assignment, config or CollectConfig())
        refused += found.refused
        warnings += found.warnings
        for submission in found.submissions:
            if found.is_stored and (submission.student, submission.attempt) in costless:
                free.add(_what(submission))
            attempts.setdefault(submission.student, []).append(submission)
    if not attempts:
        raise _nothing(looked_at, refused)
    taken: list[Submission] = []
    for student in sorted(attempts):
        numbered, over = _number(attempts[student], limit, free)
        refused += over
        taken += numbered if counts == "best" else _last(numbered, due)
    warnings += [
        f"{' and '.join(group)} look alike; they are treated as different students."
        for group in look_alikes(attempts)
    ]
    warnings += [f"{s.student}: {note}" for s in taken for note in s.notes]
    return Collected(tuple(taken), tuple(refused), tuple(warnings), assignment)


def _number(
    attempts: Sequence[Submission], limit: int, free: Collection[tuple[str, int, str]]
) -> tuple[list[Submission], list[RefusedHandIn]]:
    """Put a student's attempts in order, number them, and refuse those over the limit."""
    ordered = sorted(attempts, key=lambda s: (s.submitted_at or _EARLIEST, s.attempt))
    numbered: list[Submission] = []
    refused: list[RefusedHandIn] = []
    last = cost = 0
    for submission in _without_copies(ordered):
        last = max(last + 1, submission.attempt)
        costs = _what(submission) not in free
        if limit and costs and cost >= limit:
            reason = f"attempt {last} of a limit of {limit}"
            refused.append(RefusedHandIn(f"{submission.student}: {submission.file}", reason))
            continue
        cost += costs
        numbered.append(replace(submission, attempt=last))
    return numbered, refused


def _last(numbered: Sequence[Submission], due: dt.datetime | None) -> Sequence[Submission]:
    """The last try; where it came late, all from the last in time on."""
    first = len(numbered) - 1
    while first > 0 and due is not None and (numbered[first].submitted_at or _EARLIEST) > due:
        first -= 1
    return numbered[max(first, 0) :]


def _what(submission: Submission) -> tuple[str, int, str]:
    return submission.student, submission.attempt, submission.sha256


def _without_copies(ordered: Sequence[Submission]) -> list[Submission]:
    """Leave out what is a copy of the try before it: nothing new was handed in.

    The first keeps its number and its time; where it has no time, it gets the copy's.
    """
    tries: list[Submission] = []
    for submission in ordered:
        if not tries or tries[-1].sha256 != submission.sha256 or submission.problem:
            tries.append(submission)
        elif tries[-1].submitted_at is None:
            at, source = submission.submitted_at, submission.time_from
            tries[-1] = replace(tries[-1], submitted_at=at, time_from=source)
    return tries


def _nothing(sources: Sequence[str], refused: Sequence[RefusedHandIn]) -> UsageError:
    reasons = "; ".join(f"{r.source}: {r.reason}" for r in refused[:3])
    return UsageError(
        "no submission was found",
        where=", ".join(sources) or None,
        hint=reasons or "A source holds STUDENT.ipynb files or STUDENT/ folders with a notebook.",
    )

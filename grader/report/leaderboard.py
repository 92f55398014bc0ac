"""The leaderboard of an assignment: what a test measured, by pseudonym, for the class to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader.course.spec import AssignmentSpec, Leaderboard
from grader.grading.verdict import Outcome, Verdict
from grader.report.marks import aware, is_shown
from grader.report.templates import render


@dataclass(frozen=True, kw_only=True)
class LeaderboardRow:
    """One line: `rank` counts from 1, equal scores share it; `length` of its bar is 0 to 1."""

    rank: int
    name: str
    score: str
    length: float
    when: dt.datetime | None


def places(
    verdicts: Sequence[Verdict],
    board: Leaderboard,
    *,
    names: Mapping[str, str],
    due: dt.datetime | None,
    now: dt.datetime,
) -> list[LeaderboardRow]:
    """Rank a class by what the board's test measured; who has no such result is left out.

    A result that a student may not see yet is on no board either. Equal scores are listed with
    the earlier one first.

    Args:
        verdicts: one per student.
        board: of the spec.
        names: the pseudonym of each student.
        due: when the assignment is due, with its zone.
        now: an aware time.
    """
    found = sorted(_measured(verdicts, board, due, now), key=_order)
    if board.best == "lowest":
        found.sort(key=lambda pair: pair[1])  # stable: the earlier one stays first
    scores = [score for _, score in found]
    most = max((abs(score) for score in scores), default=Decimal(0))
    scale = Decimal(1) if board.percent else most
    return [
        LeaderboardRow(
            rank=scores.index(score) + 1,
            name=names[verdict.student],
            score=_shown(score, board),
            length=float(min(abs(score) / scale, Decimal(1))) if scale else 0.0,
            when=verdict.submission.submitted_at,
        )
        for verdict, score in found
    ]


def leaderboard_page(
    verdicts: Sequence[Verdict],
    *,
    spec: AssignmentSpec,
    names: Mapping[str, str],
    now: dt.datetime,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the page as one self-contained HTML file that names nobody.

    Args:
        verdicts: one per student; all their text is taken as hostile.
        spec: of the assignment, with a leaderboard.
        names: the pseudonym of each student.
        now: when it is made; an aware time.
        template_dirs: a course's own template folders.
    """
    board = spec.leaderboard or Leaderboard(test="")
    return render(
        "report/leaderboard.html.j2",
        {
            "spec": spec,
            "board": board,
            "places": places(verdicts, board, names=names, due=aware(spec.dates.due), now=now),
            "now": now,
        },
        template_dirs,
    )


def _measured(
    verdicts: Sequence[Verdict], board: Leaderboard, due: dt.datetime | None, now: dt.datetime
) -> Iterator[tuple[Verdict, Decimal]]:
    for verdict in verdicts:
        if verdict.outcome is not Outcome.GRADED:
            continue
        for test in verdict.tests:
            if test.name != board.test or test.measured is None:
                continue
            if is_shown(test, due=due, now=now):
                yield verdict, test.measured


def _order(pair: tuple[Verdict, Decimal]) -> tuple[Decimal, float, str]:
    verdict, score = pair
    when = aware(verdict.submission.submitted_at)
    return -score, when.timestamp() if when else float("inf"), verdict.submission.sha256


def _shown(score: Decimal, board: Leaderboard) -> str:
    if board.percent:
        return f"{score * 100:.2f} %"
    return f"{score.normalize():f}"

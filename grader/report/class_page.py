"""The class's page: everyone's marks, their distribution, and what went wrong most."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from grader.course.spec import AssignmentSpec
from grader.gradebook.standings import Standing, class_marks
from grader.gradebook.whole_mark import Given, WholeMark
from grader.grading.suite_faults import suite_faults
from grader.grading.verdict import Outcome, Verdict
from grader.report.cases import anchors_of, work_anchor
from grader.report.charts import histogram_svg
from grader.report.overview import findings
from grader.report.statistics import class_statistics
from grader.report.templates import render, zone_name
from grader.resources import shipped_dir

MAX_BREACHES = 20
"""Of one student; the rest are on the student's own page."""


@dataclass(frozen=True, kw_only=True)
class StudentRow:
    """One line of the class: what was handed in, what it is worth, how it stands.

    `flags` are the words under which the page can show this line with others like it.
    """

    student: str
    name: str
    verdict: Verdict | None
    mark: WholeMark | None
    standing: Standing
    questions: Mapping[str, QuestionPoints]
    flags: tuple[str, ...]

    @property
    def remarks(self) -> list[str]:
        """What is to be said beside the points, in a few words each."""
        one = self.standing
        parts = [
            "" if one.on_roster else "not on the roster",
            "excused" if one.excused else "",
            "" if not one.absent or one.excused else "not handed in",
            f"with {', '.join(one.group)}" if one.group else "",
            "extended" if one.extended else "",
            one.late,
            "by hand" if self.mark and self.mark.by_hand else "",
        ]
        return [part for part in parts if part]


@dataclass(frozen=True, kw_only=True)
class QuestionPoints:
    """What machine and people gave for one question, and what of it waits."""

    points: Decimal
    max_points: Decimal
    waits: Decimal


FLAGS = {
    "absent": "not handed in",
    "late": "late",
    "waits": "waiting for marks",
    "ungraded": "not graded",
    "unread": "could not be read",
    "stranger": "not on the roster",
    "granted": "extended or excused",
}


def class_page(
    verdicts: Sequence[Verdict],
    *,
    spec: AssignmentSpec,
    links: Mapping[str, str],
    standings: Mapping[str, Standing] | None = None,
    given: Mapping[str, Given] | None = None,
    problem: str = "",
    now: dt.datetime | None = None,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the page as one self-contained HTML file, for instructors only.

    One script runs on it, ours, which sorts and filters the table: the page's policy names it by
    its hash and allows no other. Without it everything is there to be read.

    Args:
        verdicts: one per student; all their text is taken as hostile.
        spec: of the assignment.
        links: each student's page, as a path relative to this one.
        standings: by student, also of those who handed in nothing.
        given: by student, what people gave.
        problem: why lateness and the like are not known.
        now: when the page is made, if it should say so.
        template_dirs: a course's own template folders.
    """
    standings, given = standings or {}, given or {}
    marks = class_marks(verdicts, standings, given)
    rows = _rows(verdicts, standings, given, marks)
    marks = {row.student: row.mark for row in rows}
    standings = {row.student: row.standing for row in rows}
    ordered = [row.verdict for row in rows if row.verdict is not None]
    points = {student: mark.points for student, mark in marks.items() if mark is not None}
    statistics = class_statistics(ordered, spec.points, points)
    flags = Counter(flag for row in rows for flag in row.flags)
    script = own_script()
    return render(
        "report/class.html.j2",
        {
            "spec": spec,
            "rows": rows,
            "names": {row.student: row.name for row in rows},
            "links": {student: relative_link(path) for student, path in links.items()},
            "anchors": {v.student: anchors_of(v.tests) for v in ordered},
            "work_anchor": work_anchor,
            "statistics": statistics,
            "waits": sum((mark.waits for mark in marks.values() if mark), Decimal(0)),
            "histogram": histogram_svg(statistics.histogram),
            "broken": [v for v in ordered if v.outcome is Outcome.INFRASTRUCTURE_ERROR],
            "faults": suite_faults(ordered),
            "findings": findings(
                ordered,
                spec=spec,
                standings=standings,
                marks=marks,
                statistics=statistics,
                problem=problem,
            ),
            "breaches": [
                (v, violation) for v in ordered for violation in v.violations[:MAX_BREACHES]
            ],
            "flags": [(flag, words, flags[flag]) for flag, words in FLAGS.items() if flags[flag]],
            "zone": _zone_of(rows),
            "script": Markup(script),  # noqa: S704 - our own file, named by its hash
            "script_hash": Markup(script_hash(script)),  # noqa: S704 - base64
            "now": now,
        },
        template_dirs,
    )


@cache
def own_script() -> str:
    """Return the script of the class page, as it stands in the page."""
    return (shipped_dir("templates") / "report" / "class.js").read_text(encoding="utf-8")


def script_hash(script: str) -> str:
    """Return the source expression by which a Content Security Policy allows this script alone."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _rows(
    verdicts: Sequence[Verdict],
    standings: Mapping[str, Standing],
    given: Mapping[str, Given],
    marks: Mapping[str, WholeMark | None],
) -> list[StudentRow]:
    of = {verdict.student: verdict for verdict in verdicts}
    rows = []
    for student in {**of, **standings}:
        verdict = of.get(student)
        standing = standings.get(student)
        if standing is None:
            at = verdict.submission.submitted_at if verdict else None
            standing = Standing(handed_in=at, absent=verdict is None)
        rows.append(
            StudentRow(
                student=student,
                name=standing.name or student,
                verdict=verdict,
                mark=marks[student],
                standing=standing,
                questions=dict(_questions(verdict, given.get(student, {}))),
                flags=tuple(_flags(verdict, standing, marks[student])),
            )
        )
    return sorted(rows, key=lambda row: sorting_key(row.name))


def _questions(verdict: Verdict | None, given: Given) -> Iterator[tuple[str, QuestionPoints]]:
    if verdict is None or not verdict.outcome.is_mark:
        return
    for question in verdict.questions:
        hand = given[question.id][0] if question.id in given else None
        # What can't be read holds no written answers either.
        waits = hand is None and verdict.outcome is Outcome.GRADED
        yield (
            question.id,
            QuestionPoints(
                points=question.points + (hand or 0),
                max_points=question.max_points + question.manual_points,
                waits=question.manual_points if waits else Decimal(0),
            ),
        )


def _zone_of(rows: Sequence[StudentRow]) -> str:
    """The zone in which all the times of the page are; empty where they differ, as in autumn."""
    times = (row.standing.handed_in for row in rows)
    zones = {zone_name(time) for time in times if time is not None}
    return zones.pop() if len(zones) == 1 else ""


def _flags(verdict: Verdict | None, one: Standing, mark: WholeMark | None) -> Iterator[str]:
    if one.absent and not one.excused:
        yield "absent"
    if one.late:
        yield "late"
    if mark is not None and mark.waits:
        yield "waits"
    if verdict is not None and not verdict.outcome.is_mark:
        yield "ungraded"
    if verdict is not None and verdict.outcome is Outcome.INVALID_SUBMISSION:
        yield "unread"
    if not one.on_roster:
        yield "stranger"
    if one.extended or one.excused:
        yield "granted"


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

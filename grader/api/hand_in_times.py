"""Hand-in times that a table of a class tells, for what was collected or graded before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grader.course.directory import Course
from grader.course.matches import Matcher, load_matcher
from grader.course.roster import Person, Roster, load_roster
from grader.errors import UsageError
from grader.intake.choice import is_named_as
from grader.intake.hand_in_times import learnt_time
from grader.intake.newest_tries import NewestTry, newest_tries
from grader.intake.stored import write_time
from grader.lms.lms_table import read_table
from grader.lms.moodle_words import DateOrder
from grader.lms.registry import system_of_worksheet
from grader.lms.system import System
from grader.lms.times import ToldTime, hand_in_times

if TYPE_CHECKING:  # collecting alone asks no database
    from grader.gradebook.hand_ins import HandInTime
    from grader.gradebook.store import Gradebook

_NAMED = 5


@dataclass(frozen=True)
class TableOfTimes:
    """What a table tells: its name, the system that made it, its lines, and the course's zone."""

    name: str
    system: System
    lines: tuple[ToldTime, ...]
    zone: dt.tzinfo


@dataclass(frozen=True)
class NewTime:
    """A time that was not known so, and what was known before."""

    student: str
    at: dt.datetime
    before: dt.datetime | None


@dataclass
class LearntTimes:
    """What a table told.

    Attributes:
        learnt: what is new, by student.
        unchanged: of how many students it tells what was known.
        remarks: sentences on what was read and what was not, with counts.
    """

    learnt: list[NewTime] = field(default_factory=list)
    unchanged: int = 0
    remarks: list[str] = field(default_factory=list)

    def sentences(self, table: TableOfTimes) -> list[str]:
        """Say what is new, of whom."""
        return [
            learnt_time(one.student, one.at, one.before, table.name, table.zone)
            for one in self.learnt
        ]


def read_times(
    assignment: str,
    worksheet: Path,
    *,
    zone: dt.tzinfo,
    dates: DateOrder | None = None,
    system: System | None = None,
) -> TableOfTimes:
    """Read a grading worksheet, or grades, as a system exports them.

    Args:
        assignment: its name.
        worksheet: the file.
        zone: of times without one.
        dates: whether day or month comes first.
        system: which made it, where its columns don't tell.

    Raises:
        UsageError: it has no times, or one that can't be read.
    """
    table = read_table(worksheet)
    made = system_of_worksheet(table, system, where=worksheet)
    is_named = partial(is_named_as, assignment=assignment)
    lines = hand_in_times(table, made, zone, dates, is_named)
    return TableOfTimes(worksheet.name, made, tuple(lines), zone)


def learn_times(
    course: Course, assignment: str, table: TableOfTimes, *, out: Path | None = None
) -> LearntTimes:
    """Give the newest try of each student the time that a table tells, and run nothing.

    What was handed in at the desk is passed over.

    It is kept beside the stored try, and in the gradebook where there is a verdict on that try.

    Args:
        course: whose roster tells who is in which line.
        assignment: its name.
        table: what was read.
        out: where submissions are stored; default: `submissions/`.

    Raises:
        UsageError: nothing was collected or graded yet.
    """
    from grader.gradebook.store import Gradebook

    done = LearntTimes()
    with Gradebook(course.database_url) as gradebook:
        # What came through the desk has the desk's own time, and is in no other system's table.
        desk = gradebook.desk_attempts(assignment) if out is None else {}
        stored = newest_tries((out or course.submissions_dir) / assignment, desk)
        tries = _tries(stored, _newest_graded(gradebook, assignment, desk))
        if not tries:
            raise UsageError(
                f"nothing of {assignment} was collected or graded yet, so there is nothing to "
                "tell a time of",
                hint=f"Run `grader collect {assignment} SOURCE --worksheet {table.name}`.",
            )
        matcher = _matcher(course, tries)
        times = _by_student(table, matcher, tries.keys(), done)
        for student, at in times.items():
            _learn(tries[student], at, table.name, done)
        judged = [(tries[s].graded, at) for s, at in times.items()]
        gradebook.hand_ins.learn(
            assignment,
            [replace(one, at=at, told_by=table.name) for one, at in judged if one],
            {one.key: one.at for one, _ in judged if one},
        )
    if load_roster(course):  # else the table has a whole class, and the record who handed in
        matcher.save()
    done.remarks[:0] = [_counted(table, times)]
    return done


@dataclass(frozen=True)
class _Try:
    """A student's newest try, where it is stored and where it has a verdict."""

    student: str
    stored: NewestTry | None
    graded: HandInTime | None


def _tries(stored: Mapping[str, NewestTry], graded: Mapping[str, HandInTime]) -> dict[str, _Try]:
    tries = {}
    for student in sorted({*stored, *graded}):
        kept, judged = stored.get(student), graded.get(student)
        if kept and judged and (kept.number, kept.sha256) != (judged.attempt, judged.sha256):
            # A table tells of the newest try alone.
            kept, judged = (None, judged) if kept.number < judged.attempt else (kept, None)
        tries[student] = _Try(student, kept, judged)
    return tries


def _newest_graded(
    gradebook: Gradebook, assignment: str, desk: Collection[tuple[str, int]]
) -> dict[str, HandInTime]:
    from grader.gradebook.hand_ins import hand_in_of

    newest: dict[str, HandInTime] = {}
    for entry in gradebook.current_entries(assignment):
        one = hand_in_of(entry.verdict)
        if (one.student, one.attempt) in desk:
            continue
        if one.student not in newest or newest[one.student].attempt < one.attempt:
            newest[one.student] = one
    return newest


def _matcher(course: Course, tries: Mapping[str, _Try]) -> Matcher:
    """Without a roster, students are known by their ids and the names that they came with."""
    roster = load_roster(course)
    if not roster:
        names = {s: one.stored.shown if one.stored else "" for s, one in tries.items()}
        roster = Roster({s: Person(id=s, name=name or s) for s, name in names.items()})
    return load_matcher(course, roster)


def _by_student(
    table: TableOfTimes, matcher: Matcher, there: Collection[str], done: LearntTimes
) -> dict[str, dt.datetime]:
    """Return the times of students who handed in; what can't be used is said, with a count."""
    found: dict[str, set[dt.datetime | None]] = {}
    nobody = []
    for one in table.lines:
        known = one.identifier in matcher.roster.people
        who = one.who if one.who.key else replace(one.who, number=one.identifier)
        student = one.identifier if known else matcher.match(table.system.name, who).student
        if student is None:
            nobody.append(who.name or who.key)
        else:
            found.setdefault(student, set()).add(one.at)
    times = {s: ats - {None} for s, ats in found.items()}
    twice = [s for s, ats in times.items() if len(ats) > 1]
    without = [s for s in there if s in found and not times[s]]
    absent = [s for s, ats in times.items() if ats and s not in there]
    no_line = [s for s in there if s not in found]
    _say(done, nobody, "line is", "lines are", "of nobody known here")
    _say(done, twice, "student has", "students have", "two different times there: neither is used")
    _say(done, without, "who handed in has", "who handed in have", "no time there")
    _say(done, absent, "student has", "students have", "a time there, and handed in nothing here")
    _say(done, no_line, "who handed in has", "who handed in have", "no line there")
    return {
        student: at
        for student, ats in sorted(times.items())
        for at in ats
        if at is not None and student in there and len(ats) == 1
    }


def _say(done: LearntTimes, who: Sequence[str], one: str, several: str, what: str) -> None:
    if who:
        named = f"{', '.join(sorted(who)[:_NAMED])}{'…' if len(who) > _NAMED else ''}"
        done.remarks.append(f"{len(who)} {one if len(who) == 1 else several} {what}: {named}.")


def _learn(one: _Try, at: dt.datetime, told_by: str, done: LearntTimes) -> None:
    """Keep a time beside the stored try, and note it if it is new to either record."""
    known = [held.at for held in (one.stored, one.graded) if held is not None]
    if one.stored is not None and one.stored.at != at:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        write_time(one.stored.path, at, told_by=told_by, now=now)
    if news := [before for before in known if before != at]:
        done.learnt.append(NewTime(one.student, at, news[0]))
    else:
        done.unchanged += 1


def _counted(table: TableOfTimes, times: Mapping[str, dt.datetime]) -> str:
    dated = sum(one.at is not None for one in table.lines)
    return (
        f"{table.name}: {len(table.lines)} lines, {dated} with a time, taken for {len(times)} who "
        "handed in."
    )

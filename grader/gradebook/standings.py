"""What is to be said of each student and one assignment, beside its points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from grader.course.components import Item
from grader.course.course_file import CourseFile
from grader.course.directory import Assignment, Course
from grader.course.groups import load_groups, with_teams
from grader.course.roster import Roster, load_roster
from grader.course.scheme import load_scheme
from grader.errors import GradebookError, GraderError
from grader.gradebook.changed import changed
from grader.gradebook.course_marks import course_marks, joined
from grader.gradebook.course_tries import alone, graded_items
from grader.gradebook.hand_marks import Fact, Kind, MarkReader, Newest
from grader.gradebook.marks import ItemMark
from grader.gradebook.store import Gradebook
from grader.gradebook.strays import gives
from grader.gradebook.totals.entries import AsOf, Entry, entries_of
from grader.gradebook.totals.reasons import lateness_words
from grader.gradebook.totals.scoring import score_item
from grader.gradebook.totals.students import class_entries, shared_marks
from grader.gradebook.totals.total_lines import ItemTotal
from grader.gradebook.totals.weights import ClassShares
from grader.gradebook.whole_mark import Given, WholeMark, mark_by_hand, whole_mark
from grader.grading.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One student and one assignment.

    Attributes:
        name: as the roster has it; empty where it has none.
        on_roster: True too where there is no roster.
        handed_in: when the try that counts was; None where that is not known, or nothing was.
        due: for this student.
        told_from: from when on what is shown after the due date is: a group's members see it
            together, once none of them has longer.
        extended: this student has longer than the class.
        late: how late, and what it costs, in words; empty where it is not.
        earned: the points after late days, where they cost any.
        refused: it came too late to be accepted.
        excused: the assignment leaves this student's sum.
        absent: nothing was handed in, by the student or their group.
        unjudged: it was handed in at the desk, and has no verdict yet.
        overdue: the due date has passed for this student.
        group: the other members of the student's group.
        by_hand: points, and of how many, that a person gave for the whole.
    """

    name: str = ""
    on_roster: bool = True
    handed_in: dt.datetime | None = None
    due: dt.datetime | None = None
    told_from: dt.datetime | None = None
    extended: bool = False
    late: str = ""
    earned: Fraction | None = None
    refused: bool = False
    excused: bool = False
    absent: bool = False
    unjudged: bool = False
    overdue: bool = False
    group: tuple[str, ...] = ()
    by_hand: tuple[Decimal, Decimal] | None = None

    @property
    def shown_from(self) -> dt.datetime | None:
        """The due date for what is shown after it: that of the whole group."""
        return self.told_from or self.due

    @property
    def timeless(self) -> bool:
        """Whether a hand-in has no time, and so is never late."""
        return not self.absent and self.handed_in is None


class Standings:
    """What the roster, the course file and the groups say of one assignment's students.

    What lateness costs and which grace days are spent on it is what totals say. Without a course
    file, or where it doesn't name the assignment, lateness costs nothing.

    Args:
        course, assignment, gradebook: of these.
        marks: what is to be known of what people said; default: all of it.
        scheme: the course file, where it has been read already.

    Attributes:
        problem: why the course file or the groups can't be used; then it is as without them.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        gradebook: Gradebook,
        *,
        roster: Roster | None = None,
        marks: MarkReader | None = None,
        scheme: CourseFile | None = None,
    ) -> None:
        self._course = course
        self._name = assignment.name
        self._gradebook = gradebook
        self._marks = marks or gradebook.hand_marks
        self._due = _aware(assignment.spec.dates.due)
        self._people = (load_roster(course) if roster is None else roster).people
        self._scheme: CourseFile | None = None
        self._item: Item | None = None
        self._all_groups: Mapping[str, Mapping[str, tuple[str, ...]]] = {}
        self._groups: Mapping[str, tuple[str, ...]] = {}
        # Without the course's zone that of the due date tells: students know no other.
        self._zone = self._due.tzinfo if self._due else None
        self.problem = ""
        if not course.course_file.is_file():
            return
        try:
            scheme = scheme or load_scheme(course)
            self._zone = scheme.zone if scheme.timezone else self._zone
            item = scheme.item_of(assignment.name)
            if item is not None:
                self._all_groups = load_groups(course, scheme).members
                self._groups = self._all_groups.get(item.id, {})
                self._scheme, self._item = scheme, item
        except GraderError as error:  # a batch that is judged still gets its pages
            self.problem = f"{error.where}: {error.what}" if error.where else error.what

    def with_teams(self, students: Collection[str]) -> set[str]:
        """Return students and all who share a group with one of them, whatever it works on."""
        return with_teams(students, self._all_groups)

    @property
    def item(self) -> str | None:
        """The id of the assignment's item in the course file."""
        return self._item.id if self._item else None

    def newest(self, student: str | None = None) -> Newest:
        """Return what people said of the assignment's answers, and of its item.

        Args:
            student: of one alone, and until when others of their group have; default: of everybody.
        """
        read = self._marks.newest
        whole = read(student=student, item=self.item) if self.item not in (None, self._name) else {}
        found = whole | read(student=student, item=self._name)
        for member in self._groups.get(student, ()) if student is not None else ():
            if member != student:
                theirs = read(student=member, item=self.item)
                found |= {f: mark for f, mark in theirs.items() if f.kind is Kind.EXTENSION}
        return found

    def of(
        self,
        verdicts: Sequence[Verdict],
        *,
        newest: Newest,
        now: dt.datetime,
        whole: bool = True,
        also: Sequence[str] = (),
    ) -> dict[str, Standing]:
        """Return the standing of everybody: who handed in, and who is on the roster.

        Args:
            verdicts: those that count, one per student.
            newest: what people said of the assignment and its item.
            now: decides what is overdue.
            whole: False leaves out who is not among the verdicts.
            also: students who are wanted all the same.
        """
        of = {verdict.student: verdict for verdict in verdicts}
        known = list(dict.fromkeys([*of, *(self._people if whole else ()), *also]))
        if self._scheme is None or self._item is None:
            found = {s: _plain(of.get(s), self._due, now) for s in known}
        else:
            found = self._by_rules(self._scheme, self._item, of, known, newest, now)
        people = self._people
        return {
            student: changed(
                one,
                name=people[student].name if student in people else "",
                on_roster=not people or student in people,
                handed_in=self._local(one.handed_in),
                due=self._local(one.due),
                told_from=self._local(one.told_from or one.due),
            )
            for student, one in found.items()
        }

    def _local(self, time: dt.datetime | None) -> dt.datetime | None:
        """Return a time as the course's clocks show it: every page tells it so."""
        return time.astimezone(self._zone) if time is not None and self._zone else time

    def _by_rules(
        self,
        scheme: CourseFile,
        item: Item,
        of: Mapping[str, Verdict],
        known: Sequence[str],
        newest: Newest,
        now: dt.datetime,
    ) -> dict[str, Standing]:
        one = alone(item, scheme)
        marks = [
            joined(student, item, of.get(student), newest)
            for student in known
            if student in of or _says_something(student, item, newest)
        ]
        marks += self._who_has_longer(item, known, newest)
        groups = {item.id: self._groups}
        try:
            entries = class_entries(one, marks, now=now, students=known, groups=groups)
        except GradebookError:  # seldom: then each is tried, and what does not fit is left out
            marks = [mark for mark in marks if _fits(mark, one, now)]
            entries = class_entries(one, marks, now=now, students=known, groups=groups)
        spent = dict(self._spent(scheme, item, entries, now))
        found = {}
        for student in known:
            (entry,) = entries[student]
            if student in of and entry.mark is None:  # its mark does not fit the course file
                told = _plain(of[student], entry.due, now)
            elif not (entry.late or entry.refused or entry.tries):
                told = _in_time(entry, now)
            else:
                total = spent.get(student) or score_item(one, [entry], item.id)
                told = _told(scheme, item, entry, total, now)
            team = self._groups.get(student, ())
            found[student] = changed(
                told,
                told_from=entry.told_from,
                absent=student not in of and not any(member in of for member in team),
                group=tuple(member for member in team if member != student),
                by_hand=_whole(student, item, newest),
            )
        return found

    def _who_has_longer(
        self, item: Item, known: Sequence[str], newest: Newest
    ) -> Iterator[ItemMark]:
        """Of members of groups that are not wanted, until when they have."""
        others = {member for student in known for member in self._groups.get(student, ())}
        for member in sorted(others.difference(known)):
            longer = newest.get(Fact(student=member, item=item.id, kind=Kind.EXTENSION))
            if longer is not None and longer.says.moment is not None:
                yield changed(joined(member, item, None, {}), extended_to=longer.says.moment)

    def _spent(
        self,
        scheme: CourseFile,
        item: Item,
        entries: Mapping[str, Sequence[Entry]],
        now: dt.datetime,
    ) -> Iterator[tuple[str, ItemTotal]]:
        """Where grace days are shared between items, all of a student's items decide."""
        late = [student for student, (entry,) in entries.items() if entry.late and entry.counts]
        if not late or scheme.late is None or not scheme.late.grace_days or scheme.left_open:
            return
        marks: dict[str, dict[str, ItemMark]] = {}
        shares = ClassShares()
        known = course_marks(
            self._course,
            self._gradebook,
            scheme=scheme,
            marks=self._marks,
            students=self.with_teams(late),
        )
        for mark in known:
            marks.setdefault(mark.student, {})[mark.item] = mark
        shared = shared_marks(scheme, marks, self._all_groups)
        as_of = AsOf(now=now, graded=graded_items(scheme, self._gradebook))
        for student in late:
            try:
                own = entries_of(student, scheme, shared.get(student, {}), as_of)
            except GradebookError:  # of another item; totals say which
                continue
            yield student, score_item(scheme, own, item.id, shares=shares)


def class_marks(
    verdicts: Sequence[Verdict], standings: Mapping[str, Standing], given: Mapping[str, Given]
) -> dict[str, WholeMark | None]:
    """Return everybody's one number; None where there is no mark.

    Args:
        verdicts: those that count, one per student.
        standings: by student, also of those who handed in nothing.
        given: by student, what people gave.
    """
    of = {verdict.student: verdict for verdict in verdicts}
    own = {student: _own_mark(student, of, standings, given) for student in {**of, **standings}}
    found = {}
    for student, mark in own.items():
        if mark is not None or student in of:
            found[student] = mark
            continue
        # As in totals: marks that differ, also by when they were handed in, are not guessed from.
        theirs = {
            (own.get(m), standings[m].handed_in if m in standings else None)
            for m in _shared_by(student, of, standings)
        }
        found[student] = next(iter(theirs))[0] if len(theirs) == 1 else None
    return found


def verdict_for(
    student: str, of: Mapping[str, Verdict], standings: Mapping[str, Standing]
) -> Verdict | None:
    """Return whose work a student's mark is of, by their verdicts; None: nobody's.

    Where one hands in for a group, the mark is everybody's who has none of their own.
    """
    team = (of[m] for m in _shared_by(student, of, standings) if m in of)
    return of.get(student) or next(team, None)


def _own_mark(
    student: str,
    of: Mapping[str, Verdict],
    standings: Mapping[str, Standing],
    given: Mapping[str, Given],
) -> WholeMark | None:
    by_hand = standings[student].by_hand if student in standings else None
    verdict = of.get(student)
    if verdict is not None:
        return whole_mark(verdict, given.get(student, {}), by_hand=by_hand)
    return mark_by_hand(by_hand) if by_hand else None


def _shared_by(
    student: str, of: Mapping[str, Verdict], standings: Mapping[str, Standing]
) -> list[str]:
    """The members of a student's group whose work is the group's; who is excused has left it."""
    known = {m: standings.get(m, Standing()) for m in standings.get(student, Standing()).group}
    return [m for m, one in known.items() if not one.excused and (m in of or one.by_hand)]


def _plain(verdict: Verdict | None, due: dt.datetime | None, now: dt.datetime) -> Standing:
    at = _aware(verdict.submission.submitted_at) if verdict else None
    moment = at.replace(microsecond=0) if at else None  # as late days are counted
    late = moment - due if moment and due and moment > due else None
    return Standing(
        handed_in=at,
        due=due,
        late=f"{_span(late)} late" if late else "",
        absent=verdict is None,
        overdue=due is not None and now > due,
    )


def _says_something(student: str, item: Item, newest: Newest) -> bool:
    kinds = (Kind.POINTS, Kind.HANDED_IN, Kind.EXCUSED, Kind.EXTENSION)
    facts = (Fact(student=student, item=item.id, kind=kind) for kind in kinds)
    return any(fact in newest and gives(newest[fact]) for fact in facts)


def _fits(mark: ItemMark, one: CourseFile, now: dt.datetime) -> bool:
    try:
        entries_of(mark.student, one, {mark.item: mark}, AsOf(now=now))
    except GradebookError:  # totals say which, and refuse to add it up
        return False
    return True


def _in_time(entry: Entry, now: dt.datetime) -> Standing:
    """What is not late costs nothing: most of a class need not be scored to say so."""
    return Standing(
        handed_in=entry.mark.handed_in if entry.mark else None,
        due=entry.due,
        extended=entry.extended,
        excused=entry.excused,
        overdue=entry.due is not None and now > entry.due,
    )


def _told(
    scheme: CourseFile, item: Item, entry: Entry, total: ItemTotal, now: dt.datetime
) -> Standing:
    late = lateness_words(total, entry, scheme)
    shared = scheme.late is not None and scheme.late.grace_days
    if entry.waits and entry.late and shared and not entry.refused:
        # Which days the grace days pay for is open until everything is marked.
        late = late.partition(":")[0] + ": what it costs is known when everything is marked."
    costs = entry.counts and not item.rubric and (total.percent_off or total.refused)
    return Standing(
        handed_in=total.handed_in,
        due=entry.due,
        extended=entry.extended,
        late=late.rstrip("."),
        earned=total.earned if costs else None,
        refused=total.refused,
        excused=entry.excused,
        overdue=entry.due is not None and now > entry.due,
    )


def _whole(student: str, item: Item, newest: Newest) -> tuple[Decimal, Decimal] | None:
    mark = newest.get(Fact(student=student, item=item.id, kind=Kind.POINTS))
    if mark is None or mark.says.points is None:
        return None
    return mark.says.points, mark.says.max_points or item.max_points


def _aware(time: dt.datetime | None) -> dt.datetime | None:
    return time.astimezone() if time is not None and time.tzinfo is None else time


def _span(span: dt.timedelta) -> str:
    """Say a length of time in its largest unit, rounded up."""
    minutes = -(-int(span.total_seconds()) // 60)
    for size, unit in ((24 * 60, "day"), (60, "hour")):
        if minutes >= size:
            count = -(-minutes // size)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{minutes} minute{'s' if minutes != 1 else ''}"

"""The staff's view of an assignment: everybody in it, and what is left to do in all of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from starlette.responses import Response

from grader.api.class_list import ClassLine, ClassRecord
from grader.course.directory import Assignment
from grader.course.spec import AssignmentSpec
from grader.desk.appealing import appeals_of, students_seen
from grader.desk.may import Action, Thing, may
from grader.desk.rendering import page
from grader.desk.routing import Visit
from grader.desk.views.lists import listed, paged
from grader.errors import GraderError
from grader.gradebook.appeals import AppealState
from grader.gradebook.changes import Changes
from grader.gradebook.publications import Publication
from grader.gradebook.second_looks import SecondLooks
from grader.gradebook.tries import DeskTry, TryState

Looks = Counter[tuple[str, str]]
FILTERS = {
    "missing": "missing",
    "late": "late",
    "granted": "extended or excused",
    "waits": "to be marked",
    "under-way": "on their way",
    "failed": "not judged",
    "stranger": "not on the roster",
}
_EARLY = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One student in the list of an assignment: their line, and their newest try.

    `by_group`: another member of their group has handed in, so that nothing is missing.
    """

    line: ClassLine
    newest: DeskTry | None
    by_group: bool = False

    @property
    def section(self) -> str:
        """Of the roster."""
        return self.line.section

    @property
    def under_way(self) -> bool:
        """Whether the newest try waits or runs."""
        return self.newest is not None and not self.newest.state.ended

    @property
    def failed(self) -> bool:
        """Whether there is no verdict for a reason of ours."""
        lost = self.newest is not None and self.newest.state is TryState.FAILED
        return lost or self.line.ungraded

    @property
    def points(self) -> Decimal:
        """Of machine and people; below all others where there is no mark."""
        return self.line.mark.points if self.line.mark else Decimal(-1)


_FITS = {
    "missing": lambda row: row.line.missing and row.newest is None and not row.by_group,
    "late": lambda row: row.line.late,
    "granted": lambda row: row.line.standing.extended or row.line.standing.excused,
    "waits": lambda row: bool(row.line.mark and row.line.mark.waits),
    "under-way": lambda row: row.under_way,
    "failed": lambda row: row.failed,
    "stranger": lambda row: not row.line.standing.on_roster,
}
_SORTS = {
    "section": lambda row: row.section,
    "handed-in": lambda row: row.line.standing.handed_in or _EARLY,
    "points": lambda row: row.points,
}


def show_class(visit: Visit, assignment: Assignment) -> Response:
    """Show everybody and one assignment: filtered, searched, sorted, a page at a time."""
    record = record_of(visit, assignment).within(visit.me.section)
    newest = visit.course.gradebook.tries.newest_of(assignment.name)
    known = {line.student for line in record.lines}
    rows = [
        Row(
            line=line,
            newest=newest.get(line.student),
            by_group=any(member in newest for member in line.standing.group),
        )
        for line in record.lines
    ]
    found = listed(
        visit,
        rows,
        filters=_FITS,
        sorts=_SORTS,
        text=lambda row: f"{row.line.name} {row.line.student}",
    )
    return page(
        visit,
        "class",
        spec=assignment.spec,
        assignment=assignment.name,
        record=record,
        list=found,
        filters=FILTERS,
        sections=sorted({row.section for row in rows if row.section}),
        strangers=paged(
            visit, sorted(set(newest) - known) if not visit.me.section else [], name="strangers"
        ),
        publication=visit.course.publications.of(assignment.name),
    )


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is left to do in one assignment; `problem` says why it can't be read.

    `second_looks` are those that are asked of the visitor, by question; `differing` are those of
    which whoever leads the marking is to say which marks hold.
    """

    name: str
    spec: AssignmentSpec | None = None
    record: ClassRecord | None = None
    missing: int = 0
    under_way: int = 0
    failed: int = 0
    publication: Publication | None = None
    second_looks: Mapping[str, int] = field(default_factory=dict)
    differing: int = 0
    problem: str = ""

    @property
    def published(self) -> bool:
        """Whether students see the marks."""
        return self.publication is not None and self.publication.published

    @property
    def is_done(self) -> bool:
        """Whether nothing is left, but to publish."""
        record = self.record
        open_ = record and (record.ungraded or record.unmarked or record.problem)
        return not (open_ or self.under_way or self.failed or self.second_looks or self.differing)


def show_dashboard(visit: Visit, engine: object) -> Response:
    """Show the work that is left in every assignment."""
    gradebook = visit.course.gradebook
    changes, tries = gradebook.changes(), gradebook.tries.counts()
    publications = visit.course.publications.all()
    due, differing = _second_looks(visit)
    works = []
    for name in visit.course.course.names():
        counts = tries.get(name, {})
        try:
            assignment = visit.course.course.assignment(name)
            # A marker's work is what is left in their own section; the lists behind show no more.
            record = visit.course.record(assignment, visit.now, changes).within(visit.me.section)
        except GraderError as error:  # staff must see the others all the same
            works.append(Work(name=name, problem=error.what))
            continue
        unjudged = gradebook.tries.unjudged(name) if counts else set()
        works.append(
            Work(
                name=name,
                spec=assignment.spec,
                record=record,
                missing=record.missing(unjudged),
                under_way=counts.get(TryState.WAITING, 0) + counts.get(TryState.RUNNING, 0),
                failed=counts.get(TryState.FAILED, 0),
                publication=publications.get(name),
                second_looks={q: count for (of, q), count in due.items() if of == name},
                differing=sum(count for (of, _), count in differing.items() if of == name),
            )
        )
    return page(
        visit,
        "dashboard",
        works=works,
        students=sum(map(visit.sees, visit.course.roster.people)),
        everybody=len(visit.course.roster.people),
        queue=gradebook.queue.state(now=visit.now),
        appeals=appeals_of(visit).count([AppealState.OPEN], students=students_seen(visit)),
        engine=engine,
    )


def _second_looks(visit: Visit) -> tuple[Looks, Looks]:
    """Those that wait for the visitor, and those of which whoever leads is to decide."""
    looks = SecondLooks(visit.course.gradebook.engine)
    leads = may(visit.me, Action.LEAD_MARKING, Thing())

    def counted() -> tuple[Looks, Looks]:
        return looks.due(visit.me.person), looks.differing() if leads else Counter()

    found = counted()
    names = {name for part in found for name, _ in part} & set(visit.course.course.names())
    for name in names:  # another try may have come since the answers were read
        visit.course.marking(visit.course.course.assignment(name)).refresh()
    return counted() if names else found


def record_of(visit: Visit, assignment: Assignment, changes: Changes | None = None) -> ClassRecord:
    """Return everybody and an assignment, as the record has it now."""
    if changes is None:
        changes = visit.course.gradebook.changes()
    return visit.course.record(assignment, visit.now, changes)

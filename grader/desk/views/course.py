"""A course and its assignments, as a student sees them and as staff do."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from grader.api.own_work import OwnWork
from grader.api.receiving import tries_left
from grader.course.course_file import CourseFile
from grader.course.directory import Assignment
from grader.desk.appealing import appealable, own_appeals
from grader.desk.may import Action, Thing
from grader.desk.reading import reader, with_grace_days
from grader.desk.rendering import file_answer, page
from grader.desk.routing import NotFound, Page, Visit, of_course, whole_number
from grader.desk.views.class_list import show_class, show_dashboard
from grader.errors import GraderError, UsageError
from grader.gradebook.tries import DeskTry, TryState


def show_course(visit: Visit) -> Response:
    """Show the assignments: one's own work to a student, everybody's to staff."""
    if visit.me.role.is_staff:
        return show_dashboard(visit, engine_state(visit))
    released = [a for a in visit.course.assignments() if visit.course.is_released(a, visit.now)]
    own = [reader(visit, assignment).own(visit.me.person) for assignment in released]
    own.sort(key=lambda work: (work.standing.due is None, work.standing.due, work.assignment))
    out = {name for name, one in visit.course.publications.all().items() if one.published}
    return page(
        visit,
        "course",
        works=own,
        without_mark=_without_mark(visit),
        published=out,
        left={one.name: tries_left_of(visit, one, visit.me.person) for one in released},
        totals=with_grace_days(visit),
    )


def show_assignment(visit: Visit) -> Response:
    """Show one assignment with the student's tries; to staff, the class."""
    assignment = assignment_of(visit)
    if visit.me.role.is_staff:
        return show_class(visit, assignment)
    work = reader(visit, assignment).own(visit.me.person)
    tries = _tries(visit, assignment.name)
    attempt = work.counted.submission.attempt if work.counted else 0
    facts = facts_of(visit)
    return page(
        visit,
        "assignment",
        work=work,
        spec=assignment.spec,
        facts=facts,
        item=facts.item_of(assignment.name) if facts else None,
        team=[_name(visit, member) for member in work.standing.group],
        senders={s: _name(visit, s) for s in {one.student for one in tries} - {visit.me.person}},
        tries=tries,
        counting=_counting_tries(visit, assignment, work, tries),
        report=next((t.id for t in tries if t.verdict and t.attempt == attempt), None),
        left=tries_left_of(visit, assignment, visit.me.person),
        counts=attempt,
        totals=with_grace_days(visit),
        has_release=release_of(visit, assignment) is not None,
        published=visit.course.publications.is_published(assignment.name),
        appeals=own_appeals(visit, assignment),
        may_appeal=appealable(visit, assignment, work),
    )


def send_release(visit: Visit) -> Response:
    """Send what `grader release` has made for students."""
    assignment = assignment_of(visit)
    archive = release_of(visit, assignment)
    if archive is None:
        raise UsageError(
            "this assignment has not been released yet",
            hint=f"The course staff runs `grader release {assignment.name}`.",
        )
    return file_answer(archive, f"{assignment.name}.zip", "application/zip")


def assignment_of(visit: Visit) -> Assignment:
    """Return the assignment in the address; students know nothing of those that are to come."""
    name = visit.named("assignment")
    if name not in visit.course.course.names():
        raise NotFound
    assignment = visit.course.course.assignment(name)
    if not visit.me.role.is_staff and not visit.course.is_released(assignment, visit.now):
        raise NotFound
    return assignment


def tries_left_of(visit: Visit, assignment: Assignment, student: str) -> int | None:
    """Return how many tries a student has left, with their group; None: any number."""
    course = visit.course
    team = course.team(assignment.name, student)
    return tries_left(assignment, course.course, course.gradebook, student, team)


def of_assignment(visit: Visit) -> Thing:
    """An assignment that is there."""
    assignment_of(visit)
    return Thing()


def _tries(visit: Visit, assignment: str) -> list[DeskTry]:
    """The student's own tries and those of their group, newest first."""
    everybody = (visit.me.person, *visit.course.team(assignment, visit.me.person))
    tries = visit.course.gradebook.tries
    found = [one for student in everybody for one in tries.of(student, assignment)]
    return sorted(found, key=lambda one: one.id, reverse=True)


def _counting_tries(
    visit: Visit, assignment: Assignment, work: OwnWork, tries: list[DeskTry]
) -> set[int]:
    """The numbers of the tries that count: one's own, or else the group's."""
    works = {visit.me.person: work}
    if work.counted is None:
        others = {one.student for one in tries if one.verdict} - {visit.me.person}
        read = reader(visit, assignment)
        works |= {student: read.own(student) for student in others}
    attempts = {student: _counting(one) for student, one in works.items()}
    return {one.id for one in tries if attempts.get(one.student) == one.attempt}


def _without_mark(visit: Visit) -> dict[str, tuple[DeskTry, str]]:
    """By assignment the newest try that is on its way or was not judged, and whose it is.

    The name is empty where it is one's own.
    """
    me, course = visit.me.person, visit.course
    together = {name: {me, *course.team(name, me)} for name in course.course.names()}
    newest: dict[str, DeskTry] = {}
    for student in set().union(*together.values()):
        for one in course.gradebook.tries.of(student):
            known = newest.get(one.assignment)
            if student in together.get(one.assignment, ()) and (not known or known.id < one.id):
                newest[one.assignment] = one
    return {
        name: (one, "" if one.student == me else _name(visit, one.student))
        for name, one in newest.items()
        if not one.state.ended or one.state is TryState.FAILED
    }


def _name(visit: Visit, student: str) -> str:
    person = visit.course.roster.people.get(student)
    return (person.name if person else "") or student


def facts_of(visit: Visit) -> CourseFile | None:
    """The course file; None where there is none that can be used: totals say why, to staff."""
    try:
        return visit.course.facts
    except GraderError:
        return None


def _counting(work: OwnWork) -> int:
    """The attempt that counts; 0 for none, or where it is not told yet."""
    return work.counted.submission.attempt if work.counted and not work.is_open else 0


def release_of(visit: Visit, assignment: Assignment) -> bytes | None:
    """Return the zip that `grader release` has made; None: there is none."""
    path = visit.course.course.released_dir / f"{assignment.name}.zip"
    try:
        return path.read_bytes() if not path.is_symlink() else None
    except OSError:
        return None


def number_in(visit: Visit, name: str) -> int:
    """Return a whole number of the address's query; 0 for anything else."""
    return whole_number(visit.request.query_params.get(name, "")) or 0


@dataclass(frozen=True, kw_only=True)
class EngineLine:
    """What staff read of the engines: how many are at work, in what, and what hinders them."""

    count: int
    sandbox: str
    trouble: str


def engine_state(visit: Visit) -> EngineLine:
    """Return what the course's engines say of themselves, wherever they run."""
    engines = visit.course.gradebook.engines.at_work(now=visit.now)
    none = "" if engines else "No engine runs. What is handed in waits, and is not lost."
    return EngineLine(
        count=len(engines),
        sandbox=", ".join(sorted({e.sandbox for e in engines if e.sandbox})),
        trouble=none or next((e.trouble for e in engines if e.trouble), ""),
    )


PAGES = [
    Page(
        method="GET",
        path="/c/{course}/",
        view=show_course,
        action=Action.SEE_COURSE,
        thing=of_course,
    ),
    Page(
        method="GET",
        path="/c/{course}/a/{assignment}",
        view=show_assignment,
        action=Action.SEE_COURSE,
        thing=of_assignment,
    ),
    Page(
        method="GET",
        path="/c/{course}/a/{assignment}/release.zip",
        view=send_release,
        action=Action.SEE_COURSE,
        thing=of_assignment,
    ),
]

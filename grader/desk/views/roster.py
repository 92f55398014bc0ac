"""The roster: a system's list is looked at before it counts; one student is edited."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from starlette.responses import Response

from grader.api.roster import RosterPlan, drop_person, plan_roster, put_person, take_plan
from grader.course.matches import MATCHES_NAME, NOBODY, decide, read_matches
from grader.course.roster import COLUMNS, Person
from grader.desk.leaving import take_out
from grader.desk.may import Action
from grader.desk.people import Role, User
from grader.desk.rendering import go, page, sending, was_sent
from grader.desk.routing import Page, Visit
from grader.desk.uploads import Upload
from grader.desk.views.lists import listed, paged
from grader.desk.views.tables import keep_table, kept_table, look, table_in
from grader.errors import GraderError, UsageError
from grader.gradebook.database import together
from grader.lms.registry import names, systems
from grader.report.class_page import sorting_key

_PURPOSE = "list of students"
_ASKED_AT_ONCE = 20
_IDS = ("login", "number", "email")


@dataclass(frozen=True, kw_only=True)
class RosterRow:
    """One student: the roster's line, the account, and whether they have ever signed in."""

    person: Person
    user: User | None
    signed_in: bool
    link: bool

    @property
    def section(self) -> str:
        """Of the roster."""
        return self.person.section


_FITS = {
    "no-account": lambda row: row.user is None,
    "no-link": lambda row: row.user is not None and not row.signed_in and not row.link,
    "never": lambda row: row.user is not None and not row.signed_in,
    "no-mail": lambda row: not row.person.email,
}
FILTERS = {
    "no-account": "without an account",
    "no-link": "without a link",
    "never": "never signed in",
    "no-mail": "without e-mail",
}
_SORTS = {"id": lambda row: row.person.id, "section": lambda row: row.section}


def show_roster(visit: Visit) -> Response:
    """Show everybody on the roster, a page at a time."""
    roster = visit.course.roster.people
    users = {user.person: user for user in visit.course.people.all()}
    signed_in, links = visit.desk.credentials.reached(visit.course.slug, now=visit.now)
    rows = [
        RosterRow(
            person=person,
            user=(user := users.get(person.id)),
            signed_in=user is not None and user.account in signed_in,
            link=user is not None and user.account in links,
        )
        for person in sorted(roster.values(), key=lambda p: (sorting_key(p.name or p.id), p.id))
    ]
    found = listed(
        visit,
        rows,
        filters=_FITS,
        sorts=_SORTS,
        text=lambda row: f"{row.person.name} {row.person.id} {row.person.email}",
    )
    return page(
        visit,
        "roster",
        list=found,
        filters=FILTERS,
        sections=sorted({person.section for person in roster.values() if person.section}),
        undecided=paged(visit, _undecided(visit), step=_ASKED_AT_ONCE, name="who"),
        edited=roster.get(visit.request.query_params.get("edit", "")),
        everybody=len(roster),
        systems=[(system.name, system.title) for system in systems()],
        ids=_IDS,
    )


def decide_match(visit: Visit) -> Response:
    """Say who somebody is whom a list names and the roster does not know for certain."""
    system, key = visit.said("system", 40), visit.said("key", 300)
    student = NOBODY if visit.said("nobody") else visit.said("person", 200)
    with visit.doing("say who somebody is", thing=f"{system} {key}", detail=student):
        decide(visit.course.course, system, key, student)
    return go(f"/c/{visit.course.slug}/roster")


def _undecided(visit: Visit) -> list[dict[str, str]]:
    rows = read_matches(visit.course.course.root / MATCHES_NAME)
    return [row for _, row in rows if not row["student"]]


def look_at_list(visit: Visit) -> Response:
    """Say what a list would change, before it counts."""
    system, id_from = visit.said("system", 40), visit.said("id", 10)
    if system and system not in names():
        raise UsageError(f"there is no system {system[:40]!r}")
    kept = keep_table(visit, _PURPOSE)
    try:
        _plan(visit, kept, system, id_from)
    except GraderError as error:
        kept.forget()
        raise _without_place(error) from error
    return look(visit, "roster/list", kept, system=system, id=id_from)


def show_list(visit: Visit) -> Response:
    """Show what a list would change."""
    kept = kept_table(visit, _PURPOSE)
    system, id_from = visit.asked("system", 40), visit.asked("id", 10)
    try:
        plan = _plan(visit, kept, system, id_from)
    except GraderError as error:
        raise _without_place(error) from error
    return page(
        visit,
        "roster_preview",
        plan=plan,
        done=plan.imported,
        lists={
            name: paged(visit, lines, name=name)
            for name, lines in (
                ("doubtful", plan.imported.doubtful),
                ("other", plan.changed),
                ("new", plan.imported.added),
                ("gone", plan.imported.absent),
            )
        },
        upload=kept.name,
        system=system,
        id_from=id_from,
        seen=_digest(plan),
        changed=bool(visit.asked("changed", 1)),
        columns=[column for column in COLUMNS if column != "id"],
    )


def take_list(visit: Visit) -> Response:
    """Take a list that was looked at, if it still says the same."""
    if was_sent(visit):
        return go(f"/c/{visit.course.slug}/roster")
    kept = kept_table(visit, _PURPOSE)
    system, id_from = visit.said("system", 40), visit.said("id", 10)
    plan = _plan(visit, kept, system, id_from)
    if _digest(plan) != visit.said("seen", 64):
        return look(visit, "roster/list", kept, system=system, id=id_from, changed="1")
    gone = plan.imported.absent if visit.said("gone") else []
    imported = plan.imported
    detail = f"{len(imported.added)} added, {len(imported.filled_in)} changed, {len(gone)} gone"
    with (
        visit.doing("take a list of students", thing=imported.system, detail=detail),
        sending(visit) as first,
    ):
        if first:
            take_plan(visit.course.course, plan, without=gone)
            visit.course.people.take_students(visit.course.roster.people.values())
            for student in gone:
                _sign_out(visit, student)
    kept.forget()
    return go(f"/c/{visit.course.slug}/roster")


def put_student(visit: Visit) -> Response:
    """Put one student on the roster, or change their line."""
    pieces = {column: " ".join(visit.said(column, 200).split()) for column in COLUMNS}
    person = visit.course.roster.people.get(pieces["id"]) or Person(id=pieces["id"])
    new = pieces["id"] not in visit.course.roster.people
    with (
        visit.doing("add a student" if new else "change a student", thing=pieces["id"]),
        together(visit.desk.accounts.engine),
    ):
        put_person(visit.course.course, replace(person, **pieces))
        visit.course.people.take_students(visit.course.roster.people.values())
    return go(f"/c/{visit.course.slug}/roster")


def drop_student(visit: Visit) -> Response:
    """Take a student off the roster and out of the course; their work and marks stay."""
    student = visit.said("person", 200)
    if student in visit.course.roster.people:
        with visit.doing("take a student out", thing=student):
            drop_person(visit.course.course, student)
            _sign_out(visit, student)
    return go(f"/c/{visit.course.slug}/roster")


def _sign_out(visit: Visit, student: str) -> None:
    user = next((u for u in visit.course.people.all() if u.person == student), None)
    if user is not None and user.role is Role.STUDENT:
        take_out(visit, user)


def _plan(visit: Visit, kept: Upload, system: str, id_from: str) -> RosterPlan:
    chosen = id_from if id_from in _IDS else None
    return plan_roster(visit.course.course, table_in(kept), system=system or None, id_from=chosen)


def _digest(plan: RosterPlan) -> str:
    """What was looked at: another list, or another roster meanwhile, is looked at again."""
    said = f"{plan.text()}\0{','.join(plan.imported.absent)}"
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def _without_place(error: GraderError) -> UsageError:
    """The file's place on this machine tells a browser nothing."""
    return UsageError(error.what, hint=error.hint)


_ROSTER = "/c/{course}/roster"
PAGES = [
    Page(method="GET", path=_ROSTER, view=show_roster, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_ROSTER}/list", view=look_at_list, action=Action.MANAGE_PEOPLE),
    Page(method="GET", path=f"{_ROSTER}/list", view=show_list, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_ROSTER}/take", view=take_list, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_ROSTER}/match", view=decide_match, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_ROSTER}/student", view=put_student, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_ROSTER}/drop", view=drop_student, action=Action.MANAGE_PEOPLE),
]

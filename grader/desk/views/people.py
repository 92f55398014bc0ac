"""Who is in the course: the roster's students, the staff, and how they sign in."""

from __future__ import annotations

import csv
import io
import secrets
from urllib.parse import urlencode

from starlette.responses import Response

from grader.desk.leaving import end_sessions, take_out
from grader.desk.letters import News, notify
from grader.desk.may import Action
from grader.desk.people import Role, User
from grader.desk.rendering import error_page, file_answer, go, page, sending
from grader.desk.routing import NotFound, Page, Visit
from grader.desk.views.course import number_in
from grader.desk.views.lists import listed
from grader.errors import UsageError
from grader.gradebook.database import writing
from grader.table_cells import safe_cell

LOG_PAGE = 100


def show_people(visit: Visit) -> Response:
    """Show everybody in the course: staff first, searched and a page at a time."""
    people = visit.course.people.all()
    return page(
        visit,
        "people",
        list=listed(
            visit,
            people,
            filters={"staff": lambda user: user.role is not Role.STUDENT},
            sorts={},
            text=lambda user: f"{user.name} {user.person} {user.email} {user.role.value}",
        ),
        sections=sorted({user.section for user in people if user.section}),
        roles=[role for role in Role if role is not Role.STUDENT],
        roster=len(visit.course.roster.people),
    )


def take_roster(visit: Visit) -> Response:
    """Give everybody on the roster an account."""
    people = visit.course.roster.people.values()
    with visit.doing(
        "take the roster", detail=f"{len(people)} students", to=visit.desk.accounts.engine
    ):
        visit.course.people.take_students(people)
    return go(f"/c/{visit.course.slug}/people")


def put_staff(visit: Visit) -> Response:
    """Add a member of the staff, or change what they are."""
    role = visit.said("role", 20)
    if role not in {r.value for r in Role if r is not Role.STUDENT}:
        raise UsageError("choose a role", hint="Students come from the roster.")
    person = visit.said("person", 200)
    if person == visit.me.person and role != visit.me.role:
        raise UsageError("you can't change what you are yourself", hint="Another instructor can.")
    students = visit.course.roster.people
    if person in students:
        raise UsageError(
            f"{person} is a student of this course, who would see and mark other students' work",
            hint="Give the person another id as staff, or take them out of the roster first.",
        )
    section = visit.said("section", 200)
    sections = {student.section for student in students.values()} - {""}
    if section and students and section not in sections:
        there = ", ".join(sorted(sections)) or "none"
        raise UsageError(
            f"nobody on the roster is in section {section!r}", hint=f"There are: {there}."
        )
    with visit.doing("put a person", thing=person, detail=role, to=visit.desk.accounts.engine):
        visit.course.people.put(
            person,
            name=visit.said("name", 200),
            email=visit.said("email", 200),
            role=Role(role),
            section=section,
        )
    return go(f"/c/{visit.course.slug}/people")


def remove(visit: Visit) -> Response:
    """Take a person out of the course, and end their sessions."""
    user = visit.course.people.named(visit.said("person", 200))
    if user is not None and user.account == visit.me.account:
        raise UsageError("you can't take yourself out", hint="Another instructor can.")
    if user is not None:
        with visit.doing("remove a person", thing=user.person, to=visit.desk.accounts.engine):
            take_out(visit, user)
    return go(f"/c/{visit.course.slug}/people")


def sign_out_person(visit: Visit) -> Response:
    """End a person's sessions, tokens and links in this course, as when a device was lost."""
    user = _named(visit)
    with visit.doing("end a person's sessions", thing=user.person, to=visit.desk.accounts.engine):
        end_sessions(visit, user)
    return go(f"/c/{visit.course.slug}/people")


def make_links(visit: Visit) -> Response:
    """Make sign-in links: a page to print, or a file for a mail merge. Older links end."""
    chosen = visit.said("person", 200)
    people = visit.course.people.all()
    if chosen:
        people = [user for user in people if user.person == chosen]
    else:
        people = [user for user in people if user.role is Role.STUDENT]
    if not people:
        raise UsageError(
            "there is nobody to make links for",
            hint="Take the roster first: its students get accounts.",
        )
    if visit.said("as") == "mail":
        return _mail_links(visit, chosen, people)
    accounts = visit.desk.accounts.engine
    with sending(visit, visit.said("as"), chosen) as first:
        if not first:
            return error_page(
                visit,
                409,
                "These links were made already. They were shown once, and nobody can look them up.",
                "If you have not kept them, make new ones on the page People: those before then "
                "end.",
            )
        detail = f"{len(people)}"
        with visit.doing("make sign-in links", thing=chosen, detail=detail, to=accounts):
            found = visit.desk.credentials.make_links(
                [u.account for u in people], course=visit.course.slug, now=visit.now
            )
    links = [(user, f"{visit.desk.origin}/s/{found[user.account]}") for user in people]
    if visit.said("as") == "csv":
        return file_answer(_merge(links), f"{visit.course.slug}-sign-in.csv", "text/csv")
    return page(visit, "links", links=links)


def _mail_links(visit: Visit, chosen: str, people: list[User]) -> Response:
    """Have links mailed; each is made when its mail is sent."""
    if not visit.course.sends_mail:
        raise UsageError("this desk sends no mail", hint="Write [mail] into its desk.toml.")
    with writing(visit.course.gradebook.engine) as session:
        notify(
            visit.course,
            News.SIGN_IN,
            [user.person for user in people],
            about=visit.said("key", 64) or secrets.token_hex(8),
            page="/",
            now=visit.now,
            session=session,
        )
        detail = f"{len(people)}"
        visit.note("mail sign-in links", thing=chosen, detail=detail, session=session)
    return go(f"/c/{visit.course.slug}/mail")


def show_audit(visit: Visit) -> Response:
    """Show who did what, newest first; narrowed to a person, a kind or a thing."""
    asked = visit.request.query_params
    wanted = {name: asked.get(name, "").strip()[:200] for name in ("who", "action", "thing")}
    people, actions = visit.course.audit.known(visit.course.slug)
    found = visit.course.audit.newest(
        visit.course.slug, **wanted, before=number_in(visit, "before"), limit=LOG_PAGE + 1
    )
    lines = found[:LOG_PAGE]
    older = {**wanted, "before": str(lines[-1].id)} if len(found) > LOG_PAGE else {}
    return page(
        visit,
        "audit",
        lines=lines,
        wanted=wanted,
        people=people,
        actions=actions,
        older=urlencode({name: value for name, value in older.items() if value}),
    )


def _named(visit: Visit) -> User:
    person = visit.said("person", 200)
    user = next((u for u in visit.course.people.all() if u.person == person), None)
    if user is None:
        raise NotFound
    return user


def _merge(links: list[tuple[User, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["name", "email", "link", "id"])
    for user, link in links:
        writer.writerow([safe_cell(c) for c in (user.name, user.email, link, user.person)])
    return out.getvalue().encode("utf-8-sig", "replace")


_PEOPLE = "/c/{course}/people"
PAGES = [
    Page(method="GET", path=_PEOPLE, view=show_people, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_PEOPLE}/roster", view=take_roster, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_PEOPLE}/staff", view=put_staff, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_PEOPLE}/end", view=sign_out_person, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_PEOPLE}/remove", view=remove, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_PEOPLE}/links", view=make_links, action=Action.MANAGE_PEOPLE),
    Page(method="GET", path="/c/{course}/audit", view=show_audit, action=Action.SEE_AUDIT),
]

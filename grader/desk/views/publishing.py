"""Publish marks, or take them back, after a look at what that shows to whom."""

from __future__ import annotations

import datetime as dt
from itertools import chain

from sqlalchemy.orm import Session
from starlette.responses import Response

from grader.api.publication_preview import Preview, assignment_preview, item_preview, taken_back
from grader.desk.letters import News
from grader.desk.may import Action, Thing
from grader.desk.notices import tell
from grader.desk.people import Role
from grader.desk.rendering import go, page
from grader.desk.routing import NotFound, Page, Visit, whole_number
from grader.desk.views.course import assignment_of, of_assignment
from grader.desk.views.lists import PAGE, paged
from grader.errors import UsageError
from grader.gradebook.publications import PublishedMarks, Scope


def show_all(visit: Visit) -> Response:
    """Show of everything that counts whether it is published."""
    course = visit.course
    scheme = course.scheme()
    out = course.publications.all()
    titles = {item.id: item.title for item in scheme.items} if scheme else {}
    rows = []
    for scope in course.scopes(scheme):
        title = titles.get(scope.items[0], "") if scope.items else ""
        if scope.assignment:
            title = course.course.assignment(scope.assignment).spec.title
        rows.append({"scope": scope, "title": title, "publication": out.get(scope.name)})
    return page(visit, "publications", rows=rows)


def show_preview(visit: Visit) -> Response:
    """Show what students of an assignment would see, and what is not marked."""
    scope, preview, title = _assignment_preview(visit)
    return _show(visit, scope, preview, title)


def show_item_preview(visit: Visit) -> Response:
    """Show the same of an item without an assignment."""
    scope, preview, title = _item_preview(visit)
    return _show(visit, scope, preview, title)


def publish(visit: Visit) -> Response:
    """Publish an assignment's marks, or take them back."""
    if visit.said("what", 20) == "back":
        return _take_back(visit, *_assignment_preview(visit, back=True))
    return _publish(visit, *_assignment_preview(visit))


def publish_item(visit: Visit) -> Response:
    """Publish an item's marks, or take them back."""
    if visit.said("what", 20) == "back":
        return _take_back(visit, *_item_preview(visit, back=True))
    return _publish(visit, *_item_preview(visit))


def _assignment_preview(visit: Visit, *, back: bool = False) -> tuple[Scope, Preview, str]:
    assignment, course = assignment_of(visit), visit.course
    scopes = course.scopes(course.scheme())
    scope = next(s for s in scopes if s.name == assignment.name)
    upto = 0 if back else _upto(visit)
    preview = assignment_preview(
        course.course,
        assignment,
        course.gradebook,
        before=course.publications.marks(scopes) if _is_out(visit, scope) else None,
        after=_after(visit, scopes, scope, upto, back=back),
        upto=upto,
        now=visit.now,
    )
    return scope, taken_back(preview) if back else preview, assignment.spec.title


def _item_preview(visit: Visit, *, back: bool = False) -> tuple[Scope, Preview, str]:
    course, scheme = visit.course, visit.course.scheme()
    scope = _item_scope(visit)
    item = scheme.item(scope.items[0]) if scheme else None
    if scheme is None or item is None:
        raise NotFound
    scopes, upto = course.scopes(scheme), 0 if back else _upto(visit)
    preview = item_preview(
        course.course,
        scheme,
        item,
        course.gradebook,
        before=course.publications.marks(scopes) if _is_out(visit, scope) else None,
        after=_after(visit, scopes, scope, upto, back=back),
        upto=upto,
    )
    return scope, taken_back(preview) if back else preview, item.title


def _after(
    visit: Visit, scopes: list[Scope], scope: Scope, upto: int, *, back: bool
) -> PublishedMarks:
    """What students would see of what people said."""
    if back:
        return visit.course.publications.marks([one for one in scopes if one != scope])
    return visit.course.publications.marks(scopes, {scope.name: upto})


def _upto(visit: Visit) -> int:
    """What was looked at is published, and nothing that was marked since."""
    last = visit.course.gradebook.hand_marks.last()
    seen = whole_number(visit.said("upto", 12)) if visit.request.method == "POST" else last
    if seen is None or seen > last:
        raise UsageError("the form does not say what was looked at", hint="Load the page again.")
    return seen


def _is_out(visit: Visit, scope: Scope) -> bool:
    return visit.course.publications.is_published(scope.name)


def _show(visit: Visit, scope: Scope, preview: Preview, title: str) -> Response:
    publication = visit.course.publications.of(scope.name)
    everybody = bool(visit.request.query_params.get("all")) or not _is_out(visit, scope)
    lines = list(preview.lines) if everybody else preview.differing
    return page(
        visit,
        "publish",
        scope=scope,
        title=title,
        publication=publication,
        preview=preview,
        list=paged(visit, lines),
        without=paged(visit, preview.without, name="without"),
        everybody=everybody,
        held=_held_back(visit, scope, preview),
    )


def _held_back(visit: Visit, scope: Scope, preview: Preview) -> dict[str, dt.datetime]:
    """Return from whose page *Your marks* the published mark is kept, and until when.

    That is who can still hand in without being late, and their group: the total is of all tests,
    and would tell of those that are shown after the due date. Without a total there is nothing to
    keep back.
    """
    scheme = visit.course.scheme()
    if scheme is None or scheme.left_open or not scope.assignment or not scope.items:
        return {}
    return {
        line.student: line.told_from
        for line in preview.lines
        if line.told_from and visit.now <= line.told_from
    }


def _publish(visit: Visit, scope: Scope, preview: Preview, title: str) -> Response:
    publications = visit.course.publications
    before = publications.of(scope.name)
    again = before is not None and before.published
    if before and again and before.upto > preview.upto:
        raise UsageError(
            f"{before.who} has published later marks meanwhile", hint="Load the page again."
        )
    students = {u.person for u in visit.course.people.all() if u.role is Role.STUDENT}
    course, differing = visit.course, [line.student for line in preview.differing]
    # Who is of a group has the mark of the member who handed in.
    teams = [course.team(scope.assignment, student) for student in differing]
    told = [s for s in dict.fromkeys([*differing, *chain(*teams)]) if s in students]

    held, here = _held_back(visit, scope, preview), f"/c/{visit.course.slug}"
    # Who is not shown it among all marks yet is led to where it is shown.
    places = {
        f"{here}/marks": [student for student in told if student not in held],
        f"{here}/a/{scope.assignment}": [s for s in told if s in held],
    }

    def tell_students(session: Session, number: int) -> None:
        """Tell those who see something new."""
        for path, students in places.items():
            tell(
                session,
                visit,
                students,
                f"Your marks for {title} have changed." if again else f"Marks for {title} are out.",
                path,
                news=News.PUBLISHED,
                about=str(number),
                by_mail=bool(visit.said("tell")),
                assignment=title,
            )
        visit.note(
            "publish again" if again else "publish",
            thing=scope.name,
            detail=f"{len(preview.differing)} marks",
            session=session,
        )

    if not again or preview.differing:
        publications.publish(
            scope.name,
            upto=preview.upto,
            seen=before.id if before else None,
            who=visit.me.person,
            now=visit.now,
            along=tell_students,
        )
    return go(visit.request.url.path)


def _take_back(visit: Visit, scope: Scope, preview: Preview, title: str) -> Response:
    """Take marks back; first it is shown who would lose sight of what."""
    publications = visit.course.publications
    holds = publications.of(scope.name)
    if holds is None or not holds.published:
        return go(visit.request.url.path)
    if not visit.said("sure"):
        return page(
            visit,
            "publish_back",
            scope=scope,
            title=title,
            publication=holds,
            lines=preview.lines[:PAGE],
            total=len(preview.lines),
        )

    def note(session: Session, number: int) -> None:
        visit.note(
            "take marks back",
            thing=scope.name,
            detail=f"{len(preview.lines)} marks",
            session=session,
        )

    publications.take_back(
        scope.name,
        seen=whole_number(visit.said("seen", 12)) or 0,
        who=visit.me.person,
        now=visit.now,
        along=note,
    )
    return go(visit.request.url.path)


def _item_scope(visit: Visit) -> Scope:
    name = f"items/{visit.named('course_item')}"
    scopes = visit.course.scopes(visit.course.scheme())
    scope = next((s for s in scopes if s.name == name), None)
    if scope is None:
        raise NotFound
    return scope


def of_item(visit: Visit) -> Thing:
    """An item of the course file that has no assignment."""
    _item_scope(visit)
    return Thing()


_ADDRESS = "/c/{course}/a/{assignment}/publish"
_ITEM = "/c/{course}/i/{course_item}/publish"
PAGES = [
    Page(method="GET", path="/c/{course}/publish", view=show_all, action=Action.PUBLISH),
    Page(
        method="GET",
        path=_ADDRESS,
        view=show_preview,
        action=Action.PUBLISH,
        thing=of_assignment,
    ),
    Page(method="POST", path=_ADDRESS, view=publish, action=Action.PUBLISH, thing=of_assignment),
    Page(method="GET", path=_ITEM, view=show_item_preview, action=Action.PUBLISH, thing=of_item),
    Page(method="POST", path=_ITEM, view=publish_item, action=Action.PUBLISH, thing=of_item),
]

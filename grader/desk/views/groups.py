"""Who hands in together: a list is looked at before it counts; one student is put into a group."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from grader.api.groups import GroupPlan, plan_groups, put_member, take_groups
from grader.course.groups import Groups, load_groups
from grader.course.scheme import load_scheme
from grader.desk.may import Action
from grader.desk.rendering import go, page, sending, was_sent
from grader.desk.routing import Page, Visit
from grader.desk.uploads import Upload
from grader.desk.views.lists import paged
from grader.desk.views.tables import keep_table, kept_table, look, table_in
from grader.errors import GraderError, UsageError

_PURPOSE = "list of groups"


def show_groups(visit: Visit) -> Response:
    """Show the groups of every item that is handed in by groups, and who is in none."""
    items, groups, problem = [], Groups(), ""
    try:
        scheme = load_scheme(visit.course.course)
        items = [item for item in scheme.items if item.group]
        groups = load_groups(visit.course.course, scheme)
    except GraderError as error:
        problem = error.what
    people = visit.course.roster.people
    return page(
        visit,
        "groups",
        items=[
            {
                "item": item,
                "named": list(groups.named.get(item.id, {})),
                "teams": paged(
                    visit, list(groups.named.get(item.id, {}).items()), name=f"teams-{number}"
                ),
                "alone": paged(
                    visit,
                    [p for p in people.values() if p.id not in groups.members.get(item.id, {})],
                    name=f"alone-{number}",
                ),
            }
            for number, item in enumerate(items, 1)
        ],
        remarks=groups.remarks,
        problem=problem,
        names={person.id: person.name or person.id for person in people.values()},
    )


def look_at_groups(visit: Visit) -> Response:
    """Say what a list of groups would change, before it counts."""
    kept = keep_table(visit, _PURPOSE)
    try:
        _plan(visit, kept)
    except UsageError:
        kept.forget()
        raise
    return look(visit, "groups/list", kept)


def show_list(visit: Visit) -> Response:
    """Show what a list of groups would change."""
    kept = kept_table(visit, _PURPOSE)
    plan = _plan(visit, kept)
    return page(
        visit,
        "groups_preview",
        plan=plan,
        changes=paged(visit, plan.changes),
        strangers=paged(visit, plan.strangers, name="strangers"),
        upload=kept.name,
        seen=_digest(plan),
        changed=bool(visit.asked("changed", 1)),
    )


def _plan(visit: Visit, kept: Upload) -> GroupPlan:
    try:
        return plan_groups(visit.course.course, table_in(kept))
    except GraderError as error:
        line = str(error.where or "").rpartition(":")[2]
        where = f"line {line}: " if line.isdecimal() else ""
        raise UsageError(f"{where}{error.what}", hint=error.hint) from error


def take_list(visit: Visit) -> Response:
    """Take a list that was looked at, if it still says the same."""
    if was_sent(visit):
        return go(f"/c/{visit.course.slug}/groups")
    kept = kept_table(visit, _PURPOSE)
    plan = plan_groups(visit.course.course, table_in(kept))
    if _digest(plan) != visit.said("seen", 64):
        return look(visit, "groups/list", kept, changed="1")
    with (
        visit.doing("take a list of groups", detail=f"{len(plan.changes)} changes"),
        sending(visit) as first,
    ):
        if first:
            take_groups(visit.course.course, plan)
    kept.forget()
    return go(f"/c/{visit.course.slug}/groups")


def put_student(visit: Visit) -> Response:
    """Put a student into a group of an item, or out of theirs."""
    item, student = visit.said("item", 200), visit.said("student", 200)
    plan = put_member(
        visit.course.course, item, student, " ".join(visit.said("group", 200).split())
    )
    said = "; ".join(plan.changes)
    with visit.doing("change a group", thing=f"{item} {student}", detail=said):
        take_groups(visit.course.course, plan)
    return go(f"/c/{visit.course.slug}/groups")


def _digest(plan: GroupPlan) -> str:
    said = "\0".join((plan.text, *plan.changes))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


_GROUPS = "/c/{course}/groups"
PAGES = [
    Page(method="GET", path=_GROUPS, view=show_groups, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_GROUPS}/list", view=look_at_groups, action=Action.MANAGE_PEOPLE),
    Page(method="GET", path=f"{_GROUPS}/list", view=show_list, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_GROUPS}/take", view=take_list, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_GROUPS}/student", view=put_student, action=Action.MANAGE_PEOPLE),
]

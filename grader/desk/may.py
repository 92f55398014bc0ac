"""Who may do what: one table, one function, and what is not in the table may nobody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.desk.people import Role, User


class Action(StrEnum):
    """What can be done at the desk."""

    SEE_COURSE = "see the course"
    OWN_ACCOUNT = "look after one's own account"
    HAND_IN = "hand in"
    SEE_WORK = "see a student's work"
    SEE_CLASS = "see everybody's marks"
    MARK = "mark answers"
    CHANGE_RUBRIC = "change what a rubric's items are worth"
    LEAD_MARKING = "divide the marking, compare markers, decide between them"
    RUN_AGAIN = "have a try judged again"
    PUBLISH = "publish marks"
    GRANT = "extend and excuse"
    EXPORT = "take marks out of the desk"
    APPEAL = "appeal about one's own marks"
    ANSWER_APPEAL = "answer an appeal"
    MANAGE_PEOPLE = "manage who is in the course"
    SEE_AUDIT = "read who did what"


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What an action is about. `student` is whose it is, empty for the course's own things."""

    student: str = ""
    section: str = ""


_EVERYBODY = frozenset(Role)
_STAFF = frozenset(role for role in Role if role.is_staff)
_HEADS = frozenset({Role.HEAD_MARKER, Role.INSTRUCTOR})
_INSTRUCTORS = frozenset({Role.INSTRUCTOR})

_ALLOWED: dict[Action, frozenset[Role]] = {
    Action.SEE_COURSE: _STAFF | {Role.STUDENT},
    Action.OWN_ACCOUNT: _EVERYBODY,
    Action.HAND_IN: _STAFF | {Role.STUDENT},
    Action.SEE_WORK: _STAFF | {Role.STUDENT},
    Action.SEE_CLASS: _STAFF,
    Action.MARK: _STAFF,
    Action.CHANGE_RUBRIC: _HEADS,
    Action.LEAD_MARKING: _HEADS,
    Action.RUN_AGAIN: _HEADS,
    Action.PUBLISH: _HEADS,
    Action.GRANT: _HEADS,
    Action.EXPORT: _HEADS,
    Action.APPEAL: frozenset({Role.STUDENT}),
    Action.ANSWER_APPEAL: _STAFF,
    Action.MANAGE_PEOPLE: _INSTRUCTORS | {Role.ADMIN},
    Action.SEE_AUDIT: _INSTRUCTORS | {Role.ADMIN},
}

PROGRAMS = frozenset({Action.SEE_COURSE, Action.HAND_IN, Action.SEE_WORK})
"""What a personal token is good for: it lies in files, and must not be worth a whole account."""


def may(user: User, action: Action, thing: Thing) -> bool:
    """Say whether a person may do something; deny what no line allows.

    A student's things are their own; nobody answers their own appeal. A marker with a section
    sees that section's alone.
    """
    if user.role not in _ALLOWED.get(action, frozenset()):
        return False
    if not thing.student:
        return True
    if thing.student == user.person:
        return action is not Action.ANSWER_APPEAL
    if user.role is Role.STUDENT:
        return False
    if action is Action.HAND_IN:
        return user.role in _HEADS  # for a student who can't
    return not user.section or user.section == thing.section

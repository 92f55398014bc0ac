"""Who hands in together: read from a list, or changed one student at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.groups import (
    GROUPS_NAME,
    Groups,
    groups_from,
    groups_in,
    groups_text,
    load_groups,
)
from grader.course.roster import load_roster
from grader.course.scheme import load_scheme
from grader.errors import SpecError, UsageError
from grader.report.files import write_pages

MAX_NAME = 100


@dataclass(frozen=True, kw_only=True)
class GroupPlan:
    """What a list of groups would change.

    Attributes:
        groups: as they would be.
        changes: a sentence for each student whose group would be another one.
        strangers: members who are not on the roster.
    """

    groups: Groups
    changes: tuple[str, ...]
    strangers: tuple[str, ...]

    @property
    def text(self) -> str:
        """The list as it would be kept."""
        return groups_text(self.groups)


def plan_groups(course: Course, path: Path) -> GroupPlan:
    """Say what a list of groups would change; it replaces the one that is there.

    Raises:
        SpecError: names the line and what was expected.
        UsageError: the course has no course file.
    """
    scheme = load_scheme(course)
    return _plan(course, scheme, groups_from(path, scheme, load_roster(course)))


def take_groups(course: Course, plan: GroupPlan) -> None:
    """Write the list."""
    write_pages(course.root, {GROUPS_NAME: plan.text})


def put_member(course: Course, item: str, student: str, group: str) -> GroupPlan:
    """Say what it would change to put a student into a group; empty: into none.

    Raises:
        UsageError: no such item or student, or the group can't be called so.
    """
    scheme = load_scheme(course)
    known = {i.id for i in scheme.items if i.group}
    if item not in known:
        raise UsageError(
            f"the item {item!r} is not handed in by groups",
            hint=f"Items with group = true: {', '.join(sorted(known)) or 'none'}.",
        )
    roster = load_roster(course)
    if roster and student not in roster.people:
        raise UsageError(f"there is no student {student!r} on the roster")
    if len(group) > MAX_NAME or not group.isprintable():
        raise UsageError(f"a group's name has at most {MAX_NAME} characters that can be printed")
    named = {i: dict(teams) for i, teams in load_groups(course, scheme).named.items()}
    teams = {
        name: tuple(s for s in members if s != student)
        for name, members in named.get(item, {}).items()
    }
    if group:
        teams[group] = tuple(sorted({*teams.get(group, ()), student}))
    named[item] = {name: members for name, members in teams.items() if members}
    text = groups_text(Groups(named=named))
    # As strictly as one that a person wrote.
    return _plan(course, scheme, groups_in(text, scheme, course.root / GROUPS_NAME, roster))


def _plan(course: Course, scheme: CourseFile, after: Groups) -> GroupPlan:
    try:
        before = load_groups(course, scheme).named
    except SpecError:  # the list that is there can't be read: this one replaces it
        before = {}
    people = load_roster(course).people
    everybody = {s for teams in after.members.values() for s in teams}
    changes = []
    for item in dict.fromkeys([*before, *after.named]):
        was, will = _of_each(before.get(item, {})), _of_each(after.named.get(item, {}))
        for student in sorted({*was, *will}):
            if was.get(student) != will.get(student):
                old, new = was.get(student, "no group"), will.get(student, "no group")
                changes.append(f"{item}: {student}: {old} → {new}")
    return GroupPlan(
        groups=after,
        changes=tuple(changes),
        strangers=tuple(sorted(everybody - people.keys())) if people else (),
    )


def _of_each(teams: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {student: group for group, members in teams.items() for student in members}

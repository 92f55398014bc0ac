"""Who hands in together: `groups.csv` in the course directory, read strictly."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.roster import Roster, load_roster, rows_in, table_text
from grader.errors import SpecError
from grader.table_cells import safe_cell

GROUPS_NAME = "groups.csv"
COLUMNS = ("item", "group", "student")


@dataclass(frozen=True)
class Groups:
    """The groups of every item.

    Attributes:
        members: by item, then by student: all members of the student's group, sorted, the
            student among them.
        remarks: groups that are smaller or larger than the course file says, in sentences.
        named: by item, then by the group's name: its members, sorted.
    """

    members: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    named: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class _GroupLine:
    number: int
    item: str
    group: str
    student: str


def load_groups(course: Course, scheme: CourseFile) -> Groups:
    """Read `groups.csv`: one line for each member, with item, group and student.

    The item may be a component's id: then the groups are those of all its items with
    `group = true`. Without the file there are no groups.

    Raises:
        SpecError: names the line and what was expected.
    """
    path = course.root / GROUPS_NAME
    return groups_from(path, scheme, load_roster(course)) if path.is_file() else Groups()


def groups_from(path: Path, scheme: CourseFile, roster: Roster) -> Groups:
    """Read a list of groups, one line for each member.

    Raises:
        SpecError: names the line and what was expected.
    """
    return groups_in(table_text(path), scheme, path, roster)


def groups_in(text: str, scheme: CourseFile, path: Path, roster: Roster) -> Groups:
    """Read the text of a list of groups; `path` is where it lies, or would.

    Students are those of the roster, whatever the case in which the list has their ids.

    Raises:
        SpecError: names the line and what was expected.
    """
    teams: dict[tuple[str, str], list[str]] = {}
    seen: dict[tuple[str, str], _GroupLine] = {}
    for line in _lines(text, path, roster):
        for item in _items(line, scheme, path):
            before = seen.setdefault((item, line.student), line)
            if before is not line:
                raise SpecError(
                    f"{line.student!r} is in two lines for {item!r}: "
                    f"group {before.group!r} in line {before.number}, and {line.group!r}",
                    where=f"{path}:{line.number}",
                    hint="Keep one of them.",
                )
            teams.setdefault((item, line.group), []).append(line.student)
    members: dict[str, dict[str, tuple[str, ...]]] = {}
    named: dict[str, dict[str, tuple[str, ...]]] = {}
    for (item, group), students in teams.items():
        team = named.setdefault(item, {})[group] = tuple(sorted(students))
        for student in students:
            members.setdefault(item, {})[student] = team
    remarks = (*_remarks(teams, scheme), *_strangers(teams, roster))
    return Groups(members, remarks, named)


def with_teams(
    students: Collection[str], groups: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> set[str]:
    """Return students and all who share a group with one of them, whatever it works on.

    Args:
        students: some of the course.
        groups: `Groups.members`.
    """
    found = set(students)
    for teams in groups.values():
        found |= {member for s in students for member in teams.get(s, ())}
    return found


def groups_text(groups: Groups) -> str:
    """Return groups as the text of `groups.csv`, a line for each item and member."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item, teams in groups.named.items():
        for group, students in teams.items():
            writer.writerows([safe_cell(item), safe_cell(group), safe_cell(s)] for s in students)
    return out.getvalue()


def _lines(text: str, path: Path, roster: Roster) -> Iterator[_GroupLine]:
    for number, cells in rows_in(text, path, needed=COLUMNS, known=COLUMNS):
        missing = next((name for name in COLUMNS if not cells.get(name)), None)
        if missing is not None:
            raise SpecError(f"the {missing} is missing", where=f"{path}:{number}")
        yield _GroupLine(number, **{**cells, "student": roster.own_id(cells["student"])})


def _items(line: _GroupLine, scheme: CourseFile, path: Path) -> list[str]:
    """The items that a line is about."""
    item = scheme.item(line.item)
    if item is not None and item.group:
        return [item.id]
    of_component = [
        i.id for c in scheme.components if c.id == line.item for i in c.items if i.group
    ]
    if of_component:
        return of_component
    known = [i.id for i in scheme.items if i.group]
    what = f"the item {line.item!r} is not handed in by groups"
    if item is None and line.item not in {c.id for c in scheme.components}:
        what = f"there is no item {line.item!r}"
    raise SpecError(
        what,
        where=f"{path}:{line.number}",
        hint=f"Items with group = true: {', '.join(known) or 'none'}.",
    )


def _remarks(teams: Mapping[tuple[str, str], list[str]], scheme: CourseFile) -> Iterator[str]:
    for (item, group), students in teams.items():
        found = scheme.item(item)
        if found is None or found.group_size is None:
            continue
        least, most = found.group_size
        if not least <= len(students) <= most:
            yield (
                f"{GROUPS_NAME}: the group {group!r} for {item!r} is of {len(students)}, "
                f"and the course file says {least} to {most}"
            )


def _strangers(teams: Mapping[tuple[str, str], list[str]], roster: Roster) -> Iterator[str]:
    """Say who is in a group and not on the roster: the one who is meant would be in none."""
    if not roster:
        return
    everybody = dict.fromkeys(student for students in teams.values() for student in students)
    for student in everybody:
        if student not in roster.people:
            yield f"{GROUPS_NAME}: {student!r} is not on the roster"

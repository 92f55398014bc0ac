"""ILIAS: the multi-feedback download of an exercise, and its status file.

Folders are `Lastname_Firstname_Login_ID/`, of teams `Team_ID/Lastname_Firstname_Login_ID/`, in a
folder of the exercise (`Multi_Feedback_…`, or `Abgaben`, `Submissions`), beside status.xlsx and
status.csv; columns are those of `member_titles` in ilPluginExAssignmentStatusFile (ILIAS 8,
ilifau/ExerciseStatusFile, as StudOn has it). No times are told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import ClassVar

from grader.course.roster import Identity, Person, Roster
from grader.lms.lms_table import LmsLine, LmsTable
from grader.lms.system import (
    AmbiguousError,
    Columns,
    Context,
    ExportMetadata,
    FileOwner,
    MarkColumn,
    Sidecar,
    System,
    only_target,
)

_ROUND = re.compile(r"multi_feedback.*|abgaben|submissions", re.IGNORECASE)
_TEAM = re.compile(r"team[ _]\d+", re.IGNORECASE)
_USER = re.compile(r"(?P<head>[^/]+_[^/]+_[^/]+)_(?P<id>\d+)")
_LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "æ": "ae", "ø": "oe"}


class Ilias(System):
    """The exercise object's."""

    name = "ilias"
    title = "ILIAS"
    by_paths = 50
    columns: ClassVar[Columns] = {"login": ("login",)}
    own_files = ("status.xlsx", "status.xls", "status.csv", "readme.md", "checksums.json")
    comment_columns = ("comment",)
    times_elsewhere = "Neither its status file nor its archive has times."
    download = "the exercise → Grades → Multi-Feedback download, its status.csv"
    one_item = True

    def made(self, paths: Collection[str]) -> bool:
        """Folders of a class may be called so too: a team, a wrapper or a status file tells."""
        own = {path for path in paths if path.casefold() in self.own_files}
        inner = [_inner(path) for path in paths if path not in own]
        told = any(path.casefold().startswith("status.") for path in own)
        sure = told or all(round_ or team for round_, team, _, _ in inner)
        return (
            bool(inner)
            and sure
            and all(_USER.fullmatch(user) or (team and not rest) for _, team, user, rest in inner)
        )

    def told_by(self, files: Sequence[Sidecar], context: Context) -> ExportMetadata:
        """Of a team, those whose folders hold files handed in for it."""
        told = ExportMetadata(context.roster, context.zone)
        for file in files:
            _, team, user, rest = _inner(file.path)
            if team and rest and (match := _USER.fullmatch(user)):
                told.entries.setdefault(f"{team}/{match['id']}", ((), None))
        return told

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        _, team, user, rest = _inner(path)
        match = _USER.fullmatch(user)
        if match is None:
            if team and user:
                raise AmbiguousError(f"it is of {team}, and in no member's folder")
            return None
        if team and f"{team}/{match['id']}" not in told.entries:
            return None
        return FileOwner(_who(match["head"], match["id"], told.roster), rest or "")

    def may_be(self, who: Identity, person: Person) -> bool:
        """Compare the name before the login, which ILIAS writes in ASCII.

        A login with an underscore could otherwise end in another student's.
        """
        return not person.name or not _ways(who.name).isdisjoint(_ways(person.name))

    def exported(self, columns: frozenset[str]) -> bool:
        return {"usr_id", "login", "mark"} <= columns

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        return [only_target(table, ("mark",), ())]

    def finish(self, table: LmsTable, line: LmsLine, max_points: Decimal) -> None:
        """ILIAS takes no line whose `update` isn't 1."""
        place = table.column("update")
        if place is not None:
            table.set(line, place, "1")


def _inner(path: str) -> tuple[str, str, str, str]:
    """Return (the folder round all, the team's, the user's, the file) of a path."""
    parts = path.split("/")
    wrapper = parts.pop(0) if _ROUND.fullmatch(parts[0]) else ""
    team = parts.pop(0) if parts and _TEAM.fullmatch(parts[0]) else ""
    return wrapper, team, parts[0] if parts else "", "/".join(parts[1:])


def _who(head: str, identifier: str, roster: Roster) -> Identity:
    """Take the login from what looks like it; names can hold underscores, and logins too."""
    parts = head.split("_")
    ends = ["_".join(parts[i:]) for i in range(2, len(parts))]
    known = [end for end in ends if roster.match(Identity(login=end)).student]
    if len(known) > 1:
        raise AmbiguousError("its name can be read as that of several students")
    login = known[0] if known else ends[-1]
    last, _, first = head.removesuffix(f"_{login}").partition("_")
    return Identity(login=login, name=f"{last}, {first}", other=identifier)


def _ways(name: str) -> set[str]:
    lowered = unicodedata.normalize("NFC", name).casefold()
    spelt = "".join(_LETTERS.get(letter, letter) for letter in lowered)
    return {
        "".join(sorted(re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", way))))
        for way in (lowered, spelt)
    }

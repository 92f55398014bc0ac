"""Whose the files of a folder, an inbox or a plain archive are: students of the roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.course.matches import NOBODY, Matcher
from grader.course.roster import Identity, plain_id
from grader.intake.names import student_id
from grader.intake.submission import Submission

SOURCE = "folder"
_PIECES = ("login", "number", "email", "name")
_NAMED = 5


def on_roster(
    submissions: Sequence[Submission], matcher: Matcher
) -> tuple[list[Submission], list[str]]:
    """Give each submission the id that the roster has for its name; say who is not on it.

    A name may be the student's id, login, number, e-mail or whole name. One that is nobody's, or
    that two would share, stays as it is, and is put on matches.csv.
    """
    if not matcher.roster:
        return list(submissions), []
    raw = {s.student: s.display_name for s in submissions}
    ids = {student: _student(student, shown, matcher) for student, shown in raw.items()}
    warnings = []
    for student, found in list(ids.items()):
        if found in (None, student):
            continue
        others = [other for other, same in ids.items() if same == found]
        if len(others) > 1 and not matcher.answer(SOURCE, _who(student, raw[student])):
            # Whoever puts another's name on a file must not hand in for them.
            ids[student] = None
            why = f"{' and '.join(sorted(others))} would both be {found}"
            matcher.doubt(SOURCE, _who(student, raw[student]), (found or "",), why)
    strangers = sorted(student for student, found in ids.items() if found is None)
    if strangers:
        named = f"{', '.join(strangers[:_NAMED])}{'…' if strangers[_NAMED:] else ''}"
        verb = "is" if len(strangers) == 1 else "are"
        warnings.append(
            f"{len(strangers)} of {len(ids)} {verb} not on the roster: {named}; "
            "see `grader roster match`."
        )
    return [replace(s, student=ids[s.student] or s.student) for s in submissions], warnings


def _who(student: str, shown: str) -> Identity:
    return Identity(name=shown or student)


def known_student(name: str, matcher: Matcher) -> str | None:
    """Return whose name it is, by the roster and what a person wrote; None if nobody's."""
    return _found(student_id(name), name, matcher) if matcher.roster else None


def _student(student: str, shown: str, matcher: Matcher) -> str | None:
    found = _found(student, shown, matcher)
    if found is None and not matcher.answer(SOURCE, _who(student, shown)):
        matcher.match(SOURCE, _who(student, shown))  # puts it on the list
    return found


def _found(student: str, shown: str, matcher: Matcher) -> str | None:
    if student in matcher.roster.people:
        return student
    answer = matcher.answer(SOURCE, _who(student, shown))
    if answer:
        return None if answer == NOBODY else answer
    names = {plain_id(n): n for n in (student, shown) if n}.values()
    found = {
        match.student
        for name in names
        for piece in _PIECES
        if (match := matcher.roster.match(Identity(**{piece: name}))).student
    }
    return found.pop() if len(found) == 1 else None

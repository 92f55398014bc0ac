"""Which of a student's files is the submission."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.intake.members import Member
from grader.intake.names import display_name

_NOTEBOOK_ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # browsers add the second ones
_COPY = re.compile(
    r"[\s_-]*(?:\((\d{1,4})\)|copy[\s_-]?\(?(\d{0,4})\)?|-(\d{1,4}))$", re.IGNORECASE
)
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)


class NoChoiceError(Exception):
    """None of the files can be taken for the submission; the message says why."""


def is_notebook_name(path: str) -> bool:
    """Say whether a file name is that of a notebook."""
    return path.lower().endswith(_NOTEBOOK_ENDINGS)


def notebook_stem(path: str) -> str:
    """Return a notebook's file name without its ending."""
    name = PurePosixPath(path).name
    ending = next((e for e in reversed(_NOTEBOOK_ENDINGS) if name.lower().endswith(e)), "")
    return name[: len(name) - len(ending)]


def resembles(path: str, assignment: str) -> int:
    """Return 2 if the file is named as the assignment, 1 if its name holds it, else 0.

    Case, spaces, dashes, underscores and the marks of copies ("hw1 (2)", "hw1-Copy1") are
    disregarded.
    """
    wanted = _plain(assignment)
    stem, _ = _copy_number(notebook_stem(path))
    names = {_plain(stem), _plain(notebook_stem(path))}
    if wanted in names:
        return 2
    return 1 if any(wanted in name for name in names) else 0


def choose_notebook(notebooks: Sequence[Member], *, assignment: str) -> Member:
    """Return the notebook of a student who handed in one or several.

    One that is named as the assignment goes before one whose name holds it, and that before any
    other; among equals the newest counts, then the copy with the highest number. Identical
    files are one.

    Raises:
        NoChoiceError: nothing tells which of several is meant.
    """
    best = max(resembles(n.path, assignment) for n in notebooks)
    equals = [n for n in notebooks if resembles(n.path, assignment) == best]
    newest = max(_age_and_copy(n) for n in equals)
    equals = [n for n in equals if _age_and_copy(n) == newest]
    if len(equals) == 1 or len({n.content.sha256 for n in equals if n.content}) == 1:
        return min(equals, key=lambda n: n.path)
    names = ", ".join(sorted(display_name(n.path) for n in equals)[:5])
    raise NoChoiceError(
        f"Several notebooks were handed in ({names}), and nothing tells which one counts. "
        f"Hand in one notebook, named {assignment}.ipynb."
    )


def _age_and_copy(member: Member) -> tuple[dt.datetime, int]:
    return member.modified or _EARLIEST, _copy_number(notebook_stem(member.path))[1]


def _copy_number(stem: str) -> tuple[str, int]:
    """Split "hw1 (2)" into "hw1" and 2; a copy without a number is 1, the original 0."""
    match = _COPY.search(stem)
    if not match or not match.start():
        return stem, 0
    digits = next((group for group in match.groups() if group), "1")
    return stem[: match.start()], int(digits)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")

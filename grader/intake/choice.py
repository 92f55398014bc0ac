"""Which of a student's files is the submission."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from grader.errors import SubmissionError
from grader.intake.content import held
from grader.intake.members import Member
from grader.intake.names import display_name
from grader.intake.notebook_in import notebook_in

_NOTEBOOK_ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # browsers add the second ones
_COPY = re.compile(
    r"[\s_-]*(?:\((\d{1,4})\)|copy[\s_-]?\(?(\d{0,4})\)?|-(\d{1,4}))$", re.IGNORECASE
)
_NAMED = 5


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


def is_named_as(name: str, assignment: str) -> bool:
    """Say whether a folder or a line is called as the assignment."""
    return resembles(name, assignment) == 2


@dataclass(frozen=True)
class Chosen:
    """The notebook that counts; `notes` are sentences on what else there was."""

    member: Member
    notes: tuple[str, ...] = ()


def choose_notebook(notebooks: Sequence[Member], *, assignment: str, notebook: str = "") -> Chosen:
    """Return the notebook of a student who handed in one or several.

    Rules are asked one after the other, until one notebook is left (`_RULES`). None of them asks
    when a file was written: that is the time of its last copy, and another one for each who
    unpacks it. What is passed over is named, unless it is byte for byte the same. Of an assignment
    with several, `notebook` names the one that all of these are.
    """
    called = notebook or assignment
    left = [_Candidate.of(member, assignment, called) for member in notebooks]
    why = ""
    for rule, reason in _RULES:
        best = max(map(rule, left))
        kept = [c for c in left if rule(c) == best]
        if {c.sha256 for c in kept} != {c.sha256 for c in left}:
            why = reason
        left = kept
    chosen = min(left, key=lambda candidate: candidate.member.path)
    notes = [*_passed_over(chosen, notebooks, why, notebook), *chosen.remarks(assignment)]
    return Chosen(chosen.member, tuple(notes))


@dataclass(frozen=True)
class _Candidate:
    """What is asked about a notebook: by its name, and by what it holds."""

    member: Member
    sha256: str
    named: int
    copy: int
    released_as: str
    is_of_another: bool
    readable: bool
    code_characters: int

    @classmethod
    def of(cls, member: Member, assignment: str, called: str) -> _Candidate:
        content = member.content or held(b"")
        released_as, readable, code = "", True, 0
        try:
            notebook = notebook_in(content, name=member.path)
        except SubmissionError:
            readable = False
        else:
            released_as = notebook.assignment
            code = sum(len("".join(cell.source.split())) for cell in notebook.code_cells)
        return cls(
            member=member,
            sha256=content.sha256,
            named=resembles(member.path, called),
            copy=_copy_of(member.path, called),
            released_as=released_as,
            is_of_another=released_as not in {"", assignment},
            readable=readable,
            code_characters=code,
        )

    def remarks(self, assignment: str) -> list[str]:
        """Say what is odd about it, should it count."""
        if not self.is_of_another:
            return []
        return [f"The notebook says that it was released as {self.released_as}, not {assignment}."]


_RULES: tuple[tuple[Callable[[_Candidate], Any], str], ...] = (
    (lambda c: not c.is_of_another, "the others belong to another assignment"),
    (lambda c: c.named == 2, "it is named as the assignment"),
    (lambda c: bool(c.released_as) and not c.is_of_another, "it was released as this assignment"),
    (lambda c: c.named, "its name holds the assignment's"),
    (lambda c: c.readable, "the others can't be read"),
    (lambda c: c.copy == 0, "it is no copy by its name"),
    (lambda c: c.copy, "it is the copy with the highest number"),
    (lambda c: c.code_characters, "it holds the most code"),
)


def _passed_over(
    chosen: _Candidate, notebooks: Sequence[Member], why: str, notebook: str
) -> list[str]:
    others = [n.path for n in notebooks if n.content and n.content.sha256 != chosen.sha256]
    if not others:
        return []
    shown = _shown([chosen.member.path, *others])
    named = ", ".join(sorted(shown[path] for path in others)[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    reason = why or "it is the first by name"
    counts = shown[chosen.member.path]
    what = f"{len(others) + 1} different notebooks were handed in"
    if notebook:
        what += f" that are {notebook}.ipynb"
        reason = reason.replace("the assignment", "that").replace("as this", "of this")
    return [f"{what}. {counts} counts: {reason}. Passed over: {named}{more}."]


def _shown(paths: Sequence[str]) -> dict[str, str]:
    """Return the names of files, with their folders where two have the same."""
    names = Counter(PurePosixPath(path).name for path in paths)
    alone = {path: PurePosixPath(path).name for path in paths}
    return {p: display_name(n if names[n] == 1 else p) for p, n in alone.items()}


def _copy_of(path: str, assignment: str) -> int:
    """Return the number of a copy, 0 for an original; "hw-1" is no copy of the assignment hw."""
    stem = notebook_stem(path)
    return 0 if _plain(stem) == _plain(assignment) else _copy_number(stem)[1]


def _copy_number(stem: str) -> tuple[str, int]:
    """Split "hw1 (2)" into "hw1" and 2; a copy without a number is 1, the original 0."""
    match = _COPY.search(stem)
    if not match or not match.start():
        return stem, 0
    digits = next((group for group in match.groups() if group), "1")
    return stem[: match.start()], int(digits)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")

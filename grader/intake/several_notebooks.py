"""Which of the notebooks that an assignment asks for each handed-in notebook is.

What the release wrote into its metadata says it; else its name, else the cells that it was given
with. A student can write anything there: it decides which file is meant, and never a mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.errors import SubmissionError
from grader.intake.accepted_files import AcceptedFiles, AskedNotebook, Taken, cell_hashes
from grader.intake.choice import (
    NoChoiceError,
    choose_notebook,
    is_notebook_name,
    resembles,
)
from grader.intake.content import Content, held
from grader.intake.members import Member, RefusedMember
from grader.intake.names import display_name
from grader.intake.notebook_cells import ReadNotebook
from grader.intake.notebook_in import notebook_in

_NAMED = 5
_SAME = 2


@dataclass(frozen=True)
class Counted:
    """What counts of what a student handed in at one time.

    `notebook` names which of several `content` is; the others are among the files of `beside`.
    """

    file: str
    content: Content
    beside: Taken
    notebook: str = ""


def what_counts(
    notebooks: Sequence[Member],
    found: Sequence[Member | RefusedMember],
    *,
    assignment: str,
    beside: AcceptedFiles,
) -> Counted:
    """Say which notebooks count, and what is taken beside them.

    Args:
        notebooks: those that were read.
        found: all that was handed in.
        assignment: its name.
        beside: what it asks for.

    Raises:
        NoChoiceError: several notebooks are asked for, and none of them is there.
    """
    if not beside.notebooks:
        chosen = choose_notebook(notebooks, assignment=assignment)
        taken = beside.among(chosen.member.path, found)
        notes = (*chosen.notes, *taken.notes)
        return Counted(
            file=_name(chosen.member.path),
            content=chosen.member.content or held(b""),
            beside=Taken(taken.files, notes, taken.unused),
        )
    several = choose_notebooks(notebooks, beside.notebooks, assignment=assignment)
    (first, member), *others = several.members.items()
    taken = beside.among(member.path, found)
    files = [(f"{name}.ipynb", m.content or held(b"")) for name, m in others]
    notes = (*several.notes, *_refused(found), *taken.notes)
    return Counted(
        file=", ".join(_name(m.path) for m in several.members.values()),
        content=member.content or held(b""),
        notebook=first,
        beside=Taken((*files, *taken.files), notes, taken.unused),
    )


@dataclass(frozen=True)
class ChosenNotebooks:
    """The notebook that counts for each that is asked for, in the assignment's order.

    One that is missing is not among them. `notes` are sentences for student and class.
    """

    members: Mapping[str, Member]
    notes: tuple[str, ...] = ()


def choose_notebooks(
    notebooks: Sequence[Member], asked: Sequence[AskedNotebook], *, assignment: str
) -> ChosenNotebooks:
    """Match a student's notebooks with those that are asked for.

    Where several are the same one, `choice.choose_notebook` decides. A copy under the exact name of
    one that would be missing is taken for that one, whatever its metadata say.

    Raises:
        NoChoiceError: none of them is there.
    """
    groups: dict[str, list[_Handed]] = {one.notebook.name: [] for one in asked}
    others: list[_Handed] = []
    for member in notebooks:
        handed = _Handed.of(member, asked, assignment)
        groups.get(handed.is_of, others).append(handed)
    _fill_by_name(groups)
    members, notes = {}, []
    for one in asked:
        group = groups[one.notebook.name]
        if not group:
            notes.append(one.notebook.absence)
            continue
        chosen = choose_notebook(
            [handed.member for handed in group],
            assignment=assignment,
            notebook=one.notebook.name,
        )
        members[one.notebook.name] = chosen.member
        why = next(handed.why for handed in group if handed.member is chosen.member)
        notes += [*why, *chosen.notes]
    names = ", ".join(one.notebook.file for one in asked)
    if not members:
        found = ", ".join(sorted(_name(m.path) for m in notebooks)[:_NAMED])
        raise NoChoiceError(
            f"None of the requested notebooks was handed in ({names}); found: {found}."
        )
    if others:
        shown = ", ".join(sorted(_name(handed.member.path) for handed in others)[:_NAMED])
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        notes.append(f"Not used, because it is not one of the requested notebooks: {shown}{more}.")
    return ChosenNotebooks(members, tuple(notes))


def which_notebook(
    notebook: ReadNotebook | None, path: str, asked: Sequence[AskedNotebook], assignment: str
) -> tuple[str, tuple[str, ...]]:
    """Say which notebook one is, "" for none, with a sentence where that is not plain to see."""
    names = [one.notebook.name for one in asked]
    named = _named(path, names)
    file = _name(path)
    if notebook is not None and notebook.assignment == assignment and notebook.notebook in names:
        told = notebook.notebook
        if named not in ("", told):
            return told, (f"{file} was released as {told}.ipynb, and counts as that.",)
        return told, ()
    if named or notebook is None:
        return named, ()
    own = cell_hashes(cell.source for cell in notebook.cells)
    held_by = {one.notebook.name: len(own & set(one.cells)) for one in asked}
    most = max(held_by.values())
    best = [name for name, count in held_by.items() if count == most]
    if not most or len(best) > 1:
        return "", ()
    return best[0], (f"{file} was taken for {best[0]}.ipynb: it holds the cells given in that.",)


@dataclass(frozen=True)
class _Handed:
    member: Member
    is_of: str
    why: tuple[str, ...]
    exactly: str

    @classmethod
    def of(cls, member: Member, asked: Sequence[AskedNotebook], assignment: str) -> _Handed:
        content = member.content or held(b"")
        try:
            read = notebook_in(content, name=member.path)
        except SubmissionError:
            read = None
        is_of, why = which_notebook(read, member.path, asked, assignment)
        names = [one.notebook.name for one in asked]
        exactly = next((n for n in names if resembles(member.path, n) == 2), "")
        return cls(member, is_of, why, exactly)


def _fill_by_name(groups: dict[str, list[_Handed]]) -> None:
    """Take a copy for the missing notebook whose name it has: students copy one to begin another.

    The one from which it is taken keeps at least one.
    """
    for name, group in groups.items():
        if group:
            continue
        for other in groups.values():
            named = [handed for handed in other if handed.exactly == name]
            if named and len(named) < len(other):
                group += named
                other[:] = [handed for handed in other if handed not in named]


def _named(path: str, names: Sequence[str]) -> str:
    """Return the name that a file has, or that its name holds if that is one alone."""
    levels = {name: resembles(path, name) for name in names}
    best = max(levels.values())
    found = [name for name, level in levels.items() if level == best]
    if not best:
        return ""
    if len(found) > 1:  # "cnn" in "cnn-attacks"
        longest = max(found, key=len)
        found = [longest] if all(_holds(longest, name) for name in found) else []
    return found[0] if len(found) == 1 else ""


def _holds(longer: str, name: str) -> bool:
    return name.casefold() in longer.casefold()


def _refused(found: Sequence[Member | RefusedMember]) -> list[str]:
    refused = (m for m in found if isinstance(m, RefusedMember) and is_notebook_name(m.path or ""))
    return [f"{_name(m.path or '')} was handed in and not taken: {m.reason}." for m in refused]


def _name(path: str) -> str:
    return display_name(PurePosixPath(path).name)

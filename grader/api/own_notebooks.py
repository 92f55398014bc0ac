"""What a student checks or hands in from their own disk: a notebook, or the folder it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SubmissionError, UsageError
from grader.intake.accepted_files import AskedNotebook
from grader.intake.choice import NoChoiceError, choose_notebook
from grader.intake.content import RefusedFileError, on_disk
from grader.intake.members import Member
from grader.intake.names import is_clutter
from grader.intake.notebook import MAX_FILE_BYTES, read_notebook
from grader.intake.several_notebooks import choose_notebooks


@dataclass(frozen=True)
class OwnNotebooks:
    """The notebooks that count, by name, in the assignment's order; "" names the only one.

    `notes` say what is missing or passed over, as `collect` would say it.
    """

    paths: dict[str, Path]
    notes: tuple[str, ...] = ()


def leading(path: Path) -> Path:
    """Return the notebook that says what is meant: a file itself, one of a folder's.

    Raises:
        UsageError: no notebook lies in the folder, or those of several assignments.
    """
    if not path.is_dir():
        return path
    found = _in_folder(path)
    said = {notebook: _says(notebook) for notebook in found}
    names = sorted({name for name in said.values() if name})
    if not found:
        raise UsageError(
            "no notebook lies in this folder", where=path, hint="Name the notebook, or its folder."
        )
    if len(names) > 1:
        raise UsageError(
            f"notebooks of several assignments lie in this folder: {', '.join(names)}",
            where=path,
            hint="Name the notebook that you mean.",
        )
    return next((notebook for notebook, name in said.items() if name), found[0])


def own_notebooks(path: Path, asked: Sequence[AskedNotebook], assignment: str) -> OwnNotebooks:
    """Say which notebooks count of a folder, or with a notebook that is named.

    A notebook that is named counts, whatever copies of it lie beside it. Of an assignment with
    several, the others come from its folder.

    Args:
        path: a notebook or a folder.
        asked: the assignment's notebooks, where it has several.
        assignment: its name.

    Raises:
        SubmissionError: what is named is none that the assignment asks for.
    """
    folder, named = (path, []) if path.is_dir() else (path.resolve().parent, [path.resolve()])
    if named and not asked:
        return OwnNotebooks({"": path})
    members, refused = _members(dict.fromkeys([*named, *_in_folder(folder)]))
    if not members:
        raise SubmissionError(refused[0], where=path.name)
    if not asked:
        chosen = choose_notebook(members, assignment=assignment)
        return OwnNotebooks({"": folder / chosen.member.path}, (*refused, *chosen.notes))
    try:
        if named:
            (name,) = choose_notebooks(members[:1], asked, assignment=assignment).members
            others = [m for m in members[1:] if not _is_of(name, m, asked, assignment)]
            members = [members[0], *others]
        found = choose_notebooks(members, asked, assignment=assignment)
    except NoChoiceError as error:
        names = " or ".join(one.notebook.file for one in asked)
        raise SubmissionError(
            str(error), where=path.name, hint=f"Nothing was handed in. Name it {names}."
        ) from None
    paths = {name: folder / member.path for name, member in found.members.items()}
    return OwnNotebooks(paths, (*refused, *found.notes))


def _in_folder(folder: Path) -> list[Path]:
    found = folder.glob("*.ipynb")
    return sorted(p for p in found if p.is_file() and not is_clutter(p.name))


def _members(paths: Sequence[Path] | dict[Path, None]) -> tuple[list[Member], list[str]]:
    members, refused = [], []
    for path in paths:
        try:
            members.append(Member(path.name, on_disk(path, limit=MAX_FILE_BYTES)))
        except RefusedFileError as error:
            refused.append(f"{path.name} was not taken: {error}.")
    return members, refused


def _is_of(name: str, member: Member, asked: Sequence[AskedNotebook], assignment: str) -> bool:
    try:
        return name in choose_notebooks([member], asked, assignment=assignment).members
    except NoChoiceError:  # it is named as one that is none
        return False


def _says(notebook: Path) -> str:
    """The assignment that a notebook's metadata name; "" for one that can't be read."""
    try:
        data = on_disk(notebook, limit=MAX_FILE_BYTES).read(notebook.name)
        return read_notebook(data, name=notebook.name).assignment
    except (RefusedFileError, SubmissionError):
        return ""

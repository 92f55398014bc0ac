"""What students hand in beside the notebook: what is asked for is taken, the rest is named."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grader.course.directory import Assignment
from grader.course.spec import HandInRules, Notebook
from grader.errors import SpecError
from grader.intake.content import Content, RefusedFileError, on_disk
from grader.intake.linked_pictures import is_picture
from grader.intake.members import Member, RefusedMember
from grader.intake.names import UnsafeNameError, display_name, is_clutter, safe_member_path

MAX_FILES = 100
MAX_DEPTH = 8
MB = 2**20
_NAMED = 5
_TELLING = 24
"""Characters without spaces; a shorter cell may stand in any notebook."""
_NOTEBOOKS = (".ipynb", ".ipynb.txt", ".ipynb.json")
# What a release holds comes back with it, and what a session has of its own can't be replaced.
_OWN_FOLDERS = frozenset({"data", "tests"})
_RELEASED = frozenset({"README.md", "requirements.txt", "grader.json"})

Files = tuple[tuple[str, Content], ...]


@dataclass(frozen=True)
class Taken:
    """Files that lie beside the notebook, by their path there; and what is said of the others."""

    files: Files = ()
    notes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskedNotebook:
    """One of several notebooks that an assignment asks for.

    `cells` are hashes of those cells of its release that no other notebook has.
    """

    notebook: Notebook
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class AcceptedFiles:
    """What an assignment asks for beside the notebook.

    `given` is what the course gives itself: SHA-256 by path, of the notebook's folder. `notebooks`
    are there where it asks for several; all but one lie among the files then.
    """

    asked: HandInRules = field(default_factory=HandInRules)
    given: Mapping[str, str] = field(default_factory=dict)
    notebooks: tuple[AskedNotebook, ...] = ()

    def wanted(self, path: str) -> bool:
        """Say whether a file is to be read, by its name."""
        if is_clutter(path):
            return False
        # Pictures are shown to whoever marks by hand; without `files` they stay out of the box.
        return matches(path, self.asked.files) or is_picture(path)

    def among(self, notebook: str, found: Iterable[Member | RefusedMember]) -> Taken:
        """Sort what a student handed in with a notebook, by paths round that notebook's folder."""
        folder = notebook.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        contents: dict[str, Content | None] = {}
        refused: dict[str, str] = {}
        for member in found:
            path = member.path or ""
            if path.lower().endswith(_NOTEBOOKS) or is_clutter(path):
                continue
            inner = path[len(prefix) :] if path.startswith(prefix) else path
            if isinstance(member, RefusedMember):
                if self.wanted(path):
                    refused[inner] = member.reason
            elif not member.is_folder:
                contents[inner] = member.content if path.startswith(prefix) else None
        return self.of(contents, refused)

    def of(self, found: Mapping[str, Content | None], refused: Mapping[str, str]) -> Taken:
        """Take what is asked for, within its limits; `None` is a file that nobody has read.

        No name leads out of the notebook's folder, and none replaces what the course gives.
        """
        further = {one.notebook.file for one in self.notebooks}
        notebooks = [(n, c) for n, c in found.items() if n in further and c is not None]
        found = {name: content for name, content in found.items() if name not in further}
        files: dict[str, Content] = {}
        notes = [f"`{_shown(n)}` was handed in and not taken: {why}." for n, why in refused.items()]
        unasked: list[str] = []
        unused: list[str] = []
        size = 0
        given = {name.casefold(): sha256 for name, sha256 in self.given.items()}
        for name, content in sorted(found.items()):
            parts = PurePosixPath(name).parts
            if name in _RELEASED or (parts and parts[0] in _OWN_FOLDERS):
                continue
            if name.casefold() in given:
                if content is not None and content.sha256 != given[name.casefold()]:
                    notes.append(
                        f"`{_shown(name)}` is the course's file: its own is used, not the one "
                        "that was handed in."
                    )
            elif content is None or not self.wanted(name):
                unasked.append(name)
            elif why := (
                _fault(name, [*self.given, *files])
                or self._too_much(len(files), size + content.size)
            ):
                notes.append(f"`{_shown(name)}` was handed in and not taken: {why}.")
            else:
                files[name] = content
                size += content.size
                unused += [] if matches(name, self.asked.files) else [name]
        notes += _not_asked(unasked)
        named = tuple(display_name(name) for name in (*unasked, *unused, *refused))
        return Taken((*notebooks, *files.items()), tuple(notes), named[:MAX_FILES])

    def _too_much(self, count: int, size: int) -> str:
        if count >= MAX_FILES:
            return f"there are more than {MAX_FILES} files"
        if size > self.asked.max_mb * MB:
            return f"the files are larger than {self.asked.max_mb:g} MB together"
        return ""


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Say whether a path is one of those that patterns name."""
    return any(PurePosixPath(path).match(pattern) for pattern in patterns)


def beside_of(assignment: Assignment) -> AcceptedFiles:
    """What an assignment asks for."""
    given = hashes(assignment.given_contents())
    return AcceptedFiles(assignment.spec.handin, given, asked_notebooks(assignment))


def asked_notebooks(assignment: Assignment) -> tuple[AskedNotebook, ...]:
    """The notebooks of an assignment that asks for several, with the cells that tell them apart."""
    if not assignment.spec.notebooks:
        return ()
    # jupytext takes a third of a second to import; most assignments have one notebook.
    from grader.release.questions import given_cells

    try:
        cells = {
            part.notebook: cell_hashes(cell.source for cell in given_cells(part))
            for part in assignment.notebooks
        }
    except SpecError:  # said where the assignment is used; metadata and names still tell
        cells = {}
    count = Counter(cell for own in cells.values() for cell in own)
    return tuple(
        AskedNotebook(n, tuple(sorted(c for c in cells.get(n.name, ()) if count[c] == 1)))
        for n in assignment.spec.notebooks
    )


def cell_hashes(sources: Iterable[str]) -> frozenset[str]:
    """Return hashes of the cells that are long enough to tell notebooks apart."""
    plain = ("".join(source.split()) for source in sources)
    return frozenset(
        hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        for text in plain
        if len(text) >= _TELLING
    )


def hashes(contents: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def beside_on_disk(notebook: Path, beside: AcceptedFiles) -> Taken:
    """What would be taken with a notebook from the folder in which it lies."""
    folder = notebook.resolve().parent
    found: dict[str, Content | None] = {}
    refused = {}
    for pattern in beside.asked.files:
        for path in sorted(folder.glob(pattern))[: 2 * MAX_FILES]:
            name = path.relative_to(folder).as_posix()
            if name.lower().endswith(_NOTEBOOKS) or is_clutter(name) or path.is_dir():
                continue
            try:
                found[name] = on_disk(path, limit=int(beside.asked.max_mb * MB))
            except RefusedFileError as error:
                refused[name] = str(error)
    return beside.of(found, refused)


def hash_with(notebook_sha256: str, files: Iterable[tuple[str, str]], *, notebook: str = "") -> str:
    """Hash a notebook and what lies beside it: (path, SHA-256) each; alone it has its own hash.

    `notebook` is which of several it is.
    """
    pairs = sorted([*files, *([(f"{notebook}.ipynb", notebook_sha256)] if notebook else [])])
    if not pairs:
        return notebook_sha256
    digest = hashlib.sha256(f"{notebook_sha256}\n".encode())
    for name, sha256 in pairs:
        digest.update(f"{name}\0{sha256}\n".encode())
    return digest.hexdigest()


def _fault(name: str, others: Iterable[str]) -> str:
    """Why a file can't lie beside a notebook, and others there, under its name; else empty."""
    try:
        safe = safe_member_path(name)
    except UnsafeNameError as error:
        return str(error)
    parts = PurePosixPath(safe).parts
    if safe != name or len(parts) > MAX_DEPTH or any(part.startswith(".") for part in parts):
        return "a file next to a notebook can't have this name"
    folded = name.casefold()
    for other in map(str.casefold, others):
        if other == folded or other.startswith(f"{folded}/") or folded.startswith(f"{other}/"):
            return "another file has its place"
    return ""


def _not_asked(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    shown = ", ".join(f"`{_shown(name)}`" for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if names[_NAMED:] else ""
    verb = "was" if len(names) == 1 else "were"
    return [f"{shown}{more} {verb} handed in with the notebook but not requested, and not used."]


def _shown(name: str) -> str:
    return display_name(name).replace("`", "'")

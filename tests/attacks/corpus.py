"""The cases: what is handed in, what must come of it, and where it must succeed.

A case is a folder `GROUP/NAME` with `case.toml` (see `Case`) and what is handed in:

- `notebook.py`, in percent format: its cells come after (or before) those of the base notebook;
- with it `beside/`, files that lie in the notebook's folder when it is handed in;
- or nothing more, where `shipped` names an attack of `grader validate --attacks`, which is then it;
- or `make.py`, for what is large or malformed: `write(folder, student, notebooks)` writes the
  files into the folder of submissions.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import jupytext
import msgspec
import nbformat

from grader.api.attacks import shipped_attacks
from grader.api.attacks.notebooks import names_to_write
from grader.course.directory import Assignment, Course
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook

ROOT = Path(__file__).parent
NAME = "small"
FULL = Decimal(10)
GROUPS = (
    "steal",
    "forge",
    "cheat",
    "exhaust",
    "bad-input",
    "readers",
    "odd-but-honest",
)
SECRETS = ("SUITE-KEY-marzipan", "REFERENCE-KEY-quince", "CLASSMATE-KEY-walnut", "HOST-KEY-fennel")
"""In the hidden suite, the reference, another's notebook, the judge's environment and disk."""
HOST_VARIABLE = "GRADER_TEST_HOST_KEY"
_SECRET_LINE = '    key = "REFERENCE-KEY-quince"\n'

Place = Literal["local-warm", "docker-warm", "docker-single-use"]
PLACES: tuple[Place, ...] = ("local-warm", "docker-warm", "docker-single-use")


CHOSEN = os.environ.get("GRADER_ATTACKS", "")
"""`everywhere`: all cases in all places; `GROUP/NAME` patterns with commas between: those, so."""


class Bites(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the attack succeeds, and how one sees that it did: at least one of the marks below."""

    weakening: str
    gains: Decimal = Decimal(0)
    """It earns at least so many points more than it should."""
    reveals: str = ""
    """This comes out, which should not."""
    says: str = ""
    """The verdict says this, which is not what happened."""
    loses: bool = False
    """Honest work loses points (or, for a case that earns none, the verdict is lost)."""
    breaks: bool = False
    """The grader itself ends, hangs or gives up."""
    spills: bool = False
    """The submission after it gets another verdict."""

    def how(self) -> list[str]:
        """The marks that are set."""
        names = ("gains", "reveals", "says", "loses", "breaks", "spills")
        return [name for name in names if getattr(self, name)]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`case.toml`."""

    title: str
    bites: Bites
    base: Literal["released", "solved", "none"] = "released"
    first: bool = False
    """The case's cells come before those of the base notebook."""
    outcome: str = "graded"
    points: Decimal = Decimal(0)
    tests: dict[str, str] = {}
    """Outcomes of tests, by the beginning of their names."""
    never: tuple[str, ...] = ()
    """What must not come out anywhere; the secrets never may."""
    says: tuple[str, ...] = ()
    """What the verdict must say."""
    shows: tuple[str, ...] = ()
    """What the executed notebook must hold."""
    unshown: tuple[str, ...] = ()
    """What the pages must not hold as it stands: markup."""
    places: tuple[Place, ...] = PLACES
    shipped: str = ""
    """The attack of `grader validate --attacks` that this is."""
    group: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """`GROUP/NAME`."""
        return f"{self.group}/{self.name}"

    @property
    def folder(self) -> Path:
        """Where the case lies."""
        return ROOT / self.group / self.name


@dataclass(frozen=True)
class Notebooks:
    """The two notebooks that a case may build on, as bytes; `mixed` adds cells to one."""

    released: bytes
    solved: bytes
    reference: str = ""
    """The reference's source, without its secret."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What is left to students, as `names_to_write` tells it."""

    def mixed(self, base: str, cells: list[Any], *, first: bool) -> bytes:
        """A notebook of the base's cells and others."""
        if base == "none":
            return notebook_bytes(nbformat.v4.new_notebook(cells=cells))
        node = nbformat.reads(
            (self.solved if base == "solved" else self.released).decode(), as_version=4
        )
        node.cells = [*cells, *node.cells] if first else [*node.cells, *cells]
        return notebook_bytes(node)


class Maker(Protocol):
    """A `make.py`."""

    def write(self, folder: Path, student: str, notebooks: Notebooks) -> None:
        """Write what the student hands in."""


@cache
def cases() -> tuple[Case, ...]:
    """Every case, by group and name."""
    found = []
    for group in GROUPS:
        for file in sorted((ROOT / group).glob("*/case.toml")):
            case = msgspec.toml.decode(file.read_bytes(), type=Case, strict=False)
            found.append(msgspec.structs.replace(case, group=group, name=file.parent.name))
    return tuple(found)


def is_chosen(case: Case) -> bool:
    """Whether the case is to run in every place."""
    patterns = CHOSEN.split(",")
    return "everywhere" in patterns or any(fnmatch(case.id, pattern) for pattern in patterns)


def make_course(root: Path, resources: Sequence[tuple[str, float]] = ()) -> Course:
    """The attacks' assignment in a course directory of its own, with other limits if told so."""
    shutil.copytree(ROOT / "assignment", root / "assignments" / NAME)
    spec = root / "assignments" / NAME / "assignment.toml"
    for name, value in resources:
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", spec.read_text(), flags=re.M)
        if found != 1:
            raise ValueError(f"{spec} says {found} times what {name} is")
        spec.write_text(text)
    data = root / "assignments" / NAME / "data"
    data.chmod(0o777)
    (data / "numbers.csv").chmod(0o666)  # so that only the mount stands before it
    (root / "reference").mkdir()
    shutil.move(root / "assignments" / NAME / "reference.py", root / "reference" / f"{NAME}.py")
    return Course(root)


def notebooks_of(assignment: Assignment) -> Notebooks:
    """What students get, and a solution of a student's own (it holds no secret)."""
    solved = notebook_bytes(solution_notebook(assignment))
    return Notebooks(
        released=notebook_bytes(student_notebook(assignment)),
        solved=solved.replace(b'    key = \\"REFERENCE-KEY-quince\\"\\n', b""),
        reference=assignment.reference_path.read_text().replace(_SECRET_LINE, ""),
        names=names_to_write(assignment),
    )


def hand_in(case: Case, folder: Path, student: str, notebooks: Notebooks) -> None:
    """Write what the case's student hands in."""
    made = case.folder / "make.py"
    if made.exists():
        _load(made).write(folder, student, notebooks)
        return
    if case.shipped:
        (attack,) = (a for a in shipped_attacks() if a.name == case.shipped)
        sources = attack.cells(notebooks.names, notebooks.reference)
        found = [nbformat.v4.new_code_cell(source) for source in sources]
    else:
        text = (case.folder / "notebook.py").read_text()
        found = jupytext.reads(text, fmt="py:percent").cells
    cells = [_cell(cell, number) for number, cell in enumerate(found)]
    data = notebooks.mixed(case.base, cells, first=case.first)
    beside = case.folder / "beside"
    if beside.is_dir():
        shutil.copytree(beside, folder / student)
        (folder / student / f"{NAME}.ipynb").write_bytes(data)
    else:
        (folder / f"{student}.ipynb").write_bytes(data)


def _cell(cell: Any, number: int) -> Any:
    make: Mapping[str, Callable[..., Any]] = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    return make[cell.cell_type](cell.source, id=f"case-{number}")


def _load(path: Path) -> Maker:
    spec = importlib.util.spec_from_file_location(f"attack_{path.parent.name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module  # type: ignore[return-value]

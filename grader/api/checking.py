"""The student's own check: the public suite against a notebook, before it is handed in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from grader import __version__
from grader.api.batch_config import released_cells
from grader.api.own_notebooks import OwnNotebooks, leading, own_notebooks
from grader.course.directory import Course
from grader.course.given_files import given_files
from grader.course.spec import AssignmentSpec
from grader.errors import GraderError, UsageError
from grader.grading.checked_notebook import check_notebook
from grader.grading.job import BatchConfig, Job, NotebookConfig
from grader.grading.keeping.kept import with_key
from grader.grading.one_notebook import for_one
from grader.intake.accepted_files import (
    AcceptedFiles,
    AskedNotebook,
    Taken,
    beside_on_disk,
    hashes,
)
from grader.intake.answers import AnswerPlace, find_answers
from grader.intake.notebook import ReadNotebook, read_notebook
from grader.intake.several_notebooks import which_notebook
from grader.release.check_settings import read_setting, released_spec
from grader.release.given_cells import GivenCell
from grader.sandbox.base import CellResult
from grader.sandbox.choose import Choice, choose
from grader.suite.lookahead import look_ahead
from grader.suite.randomness import Seeds
from grader.suite.results import TestResult

CHECK_SEEDS = Seeds(20_541)
"""The same for every check, so that a student sees the same twice. Everybody can know them."""


@dataclass(frozen=True, kw_only=True)
class CheckedNotebook:
    """What the public suite says of a notebook; `ahead`: what will not run where it is graded."""

    results: list[TestResult]
    cells: list[CellResult]
    notes: list[str]
    ahead: tuple[str, ...]
    missing_modules: tuple[str, ...]
    answers: dict[str, str]
    answer_places: dict[str, AnswerPlace]
    sandbox: str


@dataclass(frozen=True, kw_only=True)
class PublicSuite:
    """The tests that students have, with what the notebook may use."""

    folder: Path
    data: Path | None
    spec: AssignmentSpec
    hide: tuple[Path, ...] = ()
    given: Path | None = None
    """The folder in which lies what `[box] files` of the spec names."""
    cells: tuple[GivenCell, ...] = ()
    """Those of the released notebook, by which the answers `by_hand` are found, as in grading."""
    by_hand: tuple[str, ...] = ()
    notebook: str = ""
    """Of several notebooks the one whose tests are run, and the cells of each."""
    cells_of: Mapping[str, tuple[GivenCell, ...]] = field(default_factory=dict)


def check(
    notebook: Path,
    *,
    assignment: str | None = None,
    sandbox: str = "local",
    keep: bool = False,
    tell: Callable[[str], None] | None = None,
) -> CheckedNotebook:
    """Run the public suite against a notebook.

    Args:
        notebook: the file; the `tests` and `data` folders of its release are looked for beside it.
        assignment: its name, where the notebook does not lie in its released folder.
        sandbox: as in `grade`.
        keep: have the judge with its warm slot stay for the next check, for ten minutes.
        tell: told which sandbox it is.

    Raises:
        UsageError: no public suite can be found.
        SubmissionError: the notebook can't be read.
    """
    if not notebook.is_file():
        raise UsageError("there is no such notebook", where=notebook)
    data = notebook.read_bytes()
    read = read_notebook(data, name=notebook.name)
    suite = find_public_suite(notebook, assignment, says=read.assignment)
    suite = replace(suite, notebook=_which(read, notebook, suite.spec, assignment))
    given = given_files(suite.given, suite.spec.box.files) if suite.given else {}
    known = hashes({name: path.read_bytes() for name, path in given.items()})
    taken = beside_on_disk(notebook, AcceptedFiles(suite.spec.handin, known))
    own = {path.name for path in notebook.resolve().parent.glob("*.py")}
    unused = own - set(given) - {name for name, _ in taken.files}
    taken = replace(taken, unused=(*taken.unused, *sorted(unused)))
    return run_public_suite(read, data, suite, sandbox=sandbox, keep=keep, tell=tell, beside=taken)


def notebooks_to_check(path: Path, assignment: str | None = None) -> OwnNotebooks:
    """Return the notebook that is named, or those that count of a folder that is.

    Raises:
        UsageError: there is none, or no public suite can be found.
    """
    if not path.is_dir():
        return OwnNotebooks({"": path})
    lead = leading(path)
    says = read_notebook(lead.read_bytes(), name=lead.name).assignment
    spec = find_public_suite(lead, assignment, says=says).spec
    asked = [AskedNotebook(n) for n in spec.notebooks]
    return own_notebooks(path, asked, assignment or says)


def _which(read: ReadNotebook, path: Path, spec: AssignmentSpec, assignment: str | None) -> str:
    """Of several notebooks the one that this is; "" where the assignment has one.

    Raises:
        UsageError: it is none of them.
    """
    if not spec.notebooks:
        return ""
    asked = [AskedNotebook(n) for n in spec.notebooks]
    named, _ = which_notebook(read, path.name, asked, assignment or read.assignment)
    if not named:
        names = " or ".join(n.file for n in spec.notebooks)
        raise UsageError(
            "it is not one of the assignment's notebooks", where=path, hint=f"Name it {names}."
        )
    return named


def find_public_suite(notebook: Path, assignment: str | None, *, says: str = "") -> PublicSuite:
    """The public suite beside the notebook, else that of its course directory.

    That is the one around the notebook or, where it lies in none, around the working directory.
    `says` is the assignment that the notebook's metadata name.
    """
    beside = notebook.resolve().parent
    data: Path | None
    if assignment is None and any((beside / "tests").glob("test_*.py")):
        data = beside / "data"
        spec = released_spec(beside) or AssignmentSpec(
            title=notebook.stem, points=Decimal(0), questions=()
        )
        setting = read_setting(beside)
        return PublicSuite(
            folder=beside / "tests",
            data=data if data.is_dir() else None,
            spec=spec,
            given=beside,
            cells=setting.cells if setting else (),
            by_hand=setting.by_hand if setting else (),
            cells_of=(setting.cells_of or {}) if setting else {},
        )
    try:
        course = _course_of(beside)
        chosen = course.assignment(assignment or says or notebook.stem)
    except GraderError as error:
        raise UsageError(
            "no public tests belong to this notebook",
            where=notebook,
            hint="Keep it in the folder in which it was released (with tests/ beside it), or name "
            "the assignment in its course directory: `grader check FILE --assignment NAME`.",
        ) from error
    data = chosen.data_dir if chosen.data_files() else None
    return PublicSuite(
        folder=chosen.public_dir,
        data=data,
        spec=chosen.spec,
        hide=(course.root,),
        given=chosen.folder,
        cells=() if chosen.spec.notebooks else released_cells(chosen),
        cells_of={p.notebook: released_cells(p) for p in chosen.notebooks if p.notebook},
        by_hand=tuple(q.id for q in chosen.spec.questions if q.manual),
    )


def _course_of(folder: Path) -> Course:
    """The course directory around a folder, else the one around the working directory."""
    try:
        return Course.find(folder)
    except UsageError:
        return Course.find()


def run_public_suite(
    notebook: ReadNotebook,
    data: bytes,
    suite: PublicSuite,
    *,
    sandbox: str,
    keep: bool = False,
    tell: Callable[[str], None] | None = None,
    beside: Taken | None = None,
) -> CheckedNotebook:
    """Run a notebook and the public suite against it, in a judge's process of its own.

    Args:
        notebook: as it was read.
        data: its bytes.
        suite: the public tests.
        sandbox: as in `grade`.
        keep: have the judge stay for the next check, or take one that has stayed.
        tell: told which sandbox it is.
        beside: what lies beside the notebook.
    """
    given = given_files(suite.given, suite.spec.box.files) if suite.given else {}
    taken = beside or Taken()
    choice = choose(sandbox, hide=suite.hide)
    if tell is not None:
        tell(f"{choice.sandbox} sandbox ({choice.why})")
    config = _config(suite, choice, {name: path.read_bytes() for name, path in given.items()})
    job = Job(
        student="",
        file="notebook.ipynb",
        data=data,
        notebook=suite.notebook,
        files={name: content.read(name) for name, content in taken.files},
        unused=taken.unused,
        sha256="",
        notes=tuple(taken.notes),
    )
    config = for_one(config, job)
    checked = check_notebook(with_key(config) if keep else config, job)
    held = [n for n in suite.spec.notebooks if n.name == suite.notebook]
    answers = find_answers(
        notebook,
        given=suite.cells_of.get(suite.notebook, suite.cells),
        asked=[q for q in suite.by_hand if not held or q in held[0].questions],
    )
    return CheckedNotebook(
        results=list(checked.results),
        cells=list(checked.cells),
        notes=list(checked.notes),
        ahead=look_ahead(
            notebook.sources, suite.spec, beside=[*job.files, *config.given, *taken.unused]
        ),
        missing_modules=checked.missing_modules,
        answers=answers.texts,
        answer_places=answers.places,
        sandbox=sandbox,
    )


def _config(suite: PublicSuite, choice: Choice, given: dict[str, bytes]) -> BatchConfig:
    return BatchConfig(
        assignment=suite.spec.title,
        spec=suite.spec,
        bundle_sha256=_sha256_of(suite),
        hidden=str(suite.folder),
        reference="",
        notebooks=tuple(NotebookConfig(name=n.name, reference="") for n in suite.spec.notebooks),
        data=str(suite.data or ""),
        given=given,
        released=suite.cells,
        sandbox=choice.sandbox,
        isolation=choice.isolation,
        image=choice.image,
        hide=tuple(map(str, choice.hide)),
        seed=CHECK_SEEDS.batch,
        grader_version=__version__,
    )


def _sha256_of(suite: PublicSuite) -> str:
    """The hash of the tests and the data."""
    folders = [suite.folder, *([suite.data] if suite.data else [])]
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    found = hashlib.sha256()
    for path in sorted(files):
        if "__pycache__" not in path.parts:
            data = path.read_bytes()
            found.update(f"{path}\0{len(data)}\0".encode() + data)
    return found.hexdigest()

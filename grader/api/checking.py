"""The student's own check: the public suite against a notebook, before it is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from grader.course.directory import Course
from grader.course.given_files import given_files
from grader.course.spec import AssignmentSpec
from grader.errors import GraderError, UsageError
from grader.intake.accepted_files import AcceptedFiles, Taken, beside_on_disk, hashes
from grader.intake.answers import written_answers
from grader.intake.notebook import ReadNotebook, read_notebook
from grader.release.check_settings import released_spec
from grader.sandbox.base import CellResult
from grader.sandbox.choose import open_slot
from grader.sandbox.executed import executed_notebook
from grader.sandbox.limits import run_limits, slot_options
from grader.sandbox.notebook_box import NotebookBox
from grader.suite.causes import causes
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.helpers import make_importable
from grader.suite.loading import load_suites
from grader.suite.lookahead import look_ahead
from grader.suite.randomness import Seeds
from grader.suite.results import TestResult

if TYPE_CHECKING:
    from grader.suite.running import CollectedSuite

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


def check(
    notebook: Path,
    *,
    assignment: str | None = None,
    sandbox: str = "local",
    tell: Callable[[str], None] | None = None,
) -> CheckedNotebook:
    """Run the public suite against a notebook.

    Args:
        notebook: the file; the `tests` and `data` folders of its release are looked for beside it.
        assignment: its name, where the notebook does not lie in its released folder.
        sandbox: as in `grade`.
        tell: told which sandbox it is.

    Raises:
        UsageError: no public suite can be found.
        SubmissionError: the notebook can't be read.
    """
    if not notebook.is_file():
        raise UsageError("there is no such notebook", where=notebook)
    read = read_notebook(notebook.read_bytes(), name=notebook.name)
    suite = find_public_suite(notebook, assignment or read.assignment or None)
    given = given_files(suite.given, suite.spec.box.files) if suite.given else {}
    known = hashes({name: path.read_bytes() for name, path in given.items()})
    taken = beside_on_disk(notebook, AcceptedFiles(suite.spec.handin, known))
    own = {path.name for path in notebook.resolve().parent.glob("*.py")}
    unused = own - set(given) - {name for name, _ in taken.files}
    taken = replace(taken, unused=(*taken.unused, *sorted(unused)))
    return run_public_suite(read, suite, sandbox=sandbox, tell=tell, beside=taken)


def find_public_suite(notebook: Path, assignment: str | None) -> PublicSuite:
    """The public suite beside the notebook, else that of the course directory around it."""
    beside = notebook.resolve().parent
    data: Path | None
    if assignment is None and any((beside / "tests").glob("test_*.py")):
        data = beside / "data"
        spec = released_spec(beside) or AssignmentSpec(
            title=notebook.stem, points=Decimal(0), questions=()
        )
        return PublicSuite(
            folder=beside / "tests",
            data=data if data.is_dir() else None,
            spec=spec,
            given=beside,
        )
    try:
        course = Course.find(beside)
        chosen = course.assignment(assignment or notebook.stem)
    except GraderError as error:
        raise UsageError(
            "no public tests belong to this notebook",
            where=notebook,
            hint="Keep it in the folder in which it was released (with tests/ beside it), or name "
            "the assignment: `grader check FILE --assignment NAME` in a course directory.",
        ) from error
    data = chosen.data_dir if chosen.data_files() else None
    return PublicSuite(
        folder=chosen.public_dir,
        data=data,
        spec=chosen.spec,
        hide=(course.root,),
        given=chosen.folder,
    )


def run_public_suite(
    notebook: ReadNotebook,
    suite: PublicSuite,
    *,
    sandbox: str,
    tell: Callable[[str], None] | None = None,
    beside: Taken | None = None,
) -> CheckedNotebook:
    """Run a notebook and the public suite against it, in this process."""
    found: list[CheckedNotebook] = []
    given = given_files(suite.given, suite.spec.box.files) if suite.given else {}
    taken = beside or Taken()
    files = {name: content.read(name) for name, content in taken.files}
    files |= {name: path.read_bytes() for name, path in given.items()}

    # What takes seconds goes side by side: the slot warms up while torch is imported here.
    slot = open_slot(
        sandbox,
        slot_options(suite.spec, data=suite.data),
        hide=suite.hide,
        tell=tell,
        meanwhile=load_suites,
    )

    from grader.suite.running import collect_suite

    def on_ready(collected: CollectedSuite) -> None:
        seed = CHECK_SEEDS.of_notebook()
        box = NotebookBox(
            slot, notebook.sources, files=files, limits=run_limits(suite.spec), seed=seed
        )
        try:
            run = box.run()
            answers = written_answers(notebook)
            view = ExecutedNotebook(executed_notebook(notebook, run), answers)
            results = collected.run(
                box, view, seeds=CHECK_SEEDS, deadline_s=suite.spec.resources.suite_s
            )
        finally:
            box.close()
        ahead = look_ahead(notebook.sources, suite.spec, beside=[*files, *taken.unused])
        said = causes(notebook.sources, run.cells, results, not_taken=taken.unused)
        found.append(
            CheckedNotebook(
                results=results,
                cells=run.cells,
                notes=[*said.notes, *taken.notes, *notebook.repairs, *run.notes],
                ahead=ahead,
                missing_modules=said.missing_modules,
                answers=answers,
                sandbox=sandbox,
            )
        )

    try:
        if suite.given:
            make_importable(suite.given, given)
        collect_suite(suite.folder, reference_path=None, on_ready=on_ready)
    finally:
        slot.stop()
    return found[0]

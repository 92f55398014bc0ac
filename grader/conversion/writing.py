"""A draft becomes an assignment in a course directory, whole or not at all."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from grader.conversion.companion_files import CompanionFiles, lacking, mentioned, sorted_out
from grader.conversion.draft import CellPlace, Draft, DraftCell, Remark
from grader.conversion.odd_cells import made_readable
from grader.conversion.suites import suites_of
from grader.conversion.written_reference import reference_text
from grader.course.directory import ASSIGNMENTS, REFERENCE, Course
from grader.course.loading import SPEC_NAME
from grader.errors import SpecError, UsageError
from grader.points import show
from grader.release.percent import read_percent
from grader.release.regions import solution_source, student_source
from grader.source.names import imports

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_IN_THE_BOX = frozenset({"torch", "numpy", "matplotlib", "IPython", "grader", "nbgrader", "otter"})
# Modules whose package has another name.
_PACKAGES = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
}


@dataclass(frozen=True)
class WrittenDraft:
    """What was written, and what a person must look at."""

    name: str
    folder: Path
    reference: Path
    points: Decimal
    manual: Decimal
    tests: int
    remarks: tuple[Remark, ...]

    @property
    def unfinished(self) -> tuple[Remark, ...]:
        """What keeps the assignment from being graded with."""
        return tuple(remark for remark in self.remarks if remark.kind == "unfinished")


def write_draft(
    course: Course, draft: Draft, name: str, *, root: Path, files: Sequence[Path] = (), system: str
) -> WrittenDraft:
    """Write an assignment of its own into the course.

    Args:
        course: to write into.
        draft: what to write.
        name: of the assignment.
        root: the folder in which the notebook lay.
        files: files and folders of it that belong to the assignment; what the text shows or links
            to comes along too.
        system: from which it comes.

    Raises:
        UsageError: the name can't be one, or is taken.
        SpecError: the source can't be made into a reference.
    """
    folder = course.root / ASSIGNMENTS / name
    reference = course.root / REFERENCE / f"{name.replace('-', '_')}.py"
    _refuse_taken(name, folder, reference)
    draft = made_readable(_with_a_cell(draft))
    suites = suites_of(draft)
    root = root.resolve()
    beside = sorted_out(draft, [*files, *mentioned(draft, root)], root)
    texts = {SPEC_NAME: _spec(draft, system, beside)}
    texts |= {f"hidden/{file}": text for file, text in suites.hidden.items()}
    texts |= {f"public/{file}": text for file, text in suites.public.items()}
    text = reference_text(draft, beside.modules)
    with tempfile.TemporaryDirectory(dir=course.root, prefix=f".{name}.") as work:
        built, module = Path(work) / "assignment", Path(work) / reference.name
        _write(built, texts, beside)
        module.write_text(text, encoding="utf-8")
        try:
            _check_reference(module, draft)
        except SpecError as error:
            where = draft.shown[0].place.file if draft.shown else name
            line = (error.where or "").rpartition(":")[2]
            text = dict(enumerate(text.splitlines(), 1)).get(int(line) if line.isdigit() else 0, "")
            at = f" (at: {text.strip()})" if text.strip() else ""
            raise SpecError(f"{error.what}{at}", where=where, hint=error.hint) from error
        folder.parent.mkdir(exist_ok=True)
        reference.parent.mkdir(exist_ok=True)
        module.rename(reference)
        built.rename(folder)
    remarks = (
        *draft.remarks,
        *suites.remarks,
        *_demos(draft),
        *beside.remarks,
        *_not_here(suites.modules, beside),
        *_hidden_only(draft, suites.public),
    )
    return WrittenDraft(
        name=name,
        folder=folder,
        reference=reference,
        points=sum((q.points for q in draft.questions), Decimal(0)),
        manual=sum((q.manual for q in draft.questions), Decimal(0)),
        tests=len(draft.tests),
        remarks=tuple(sorted(set(remarks), key=remarks.index)),
    )


def assignment_name(wanted: str) -> str:
    """A name for an assignment, as near to the wanted one as names may be."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-_")
    return (plain if plain[:1].isalpha() else f"a-{plain}")[:64].rstrip("-_")


def _refuse_taken(name: str, folder: Path, reference: Path) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"an assignment can't be called {name!r}",
            hint="Give it a name of letters, digits, - and _ with --name.",
        )
    for path in (folder, reference):
        if path.exists() or path.is_symlink():
            raise UsageError(
                "this is there already",
                where=path,
                hint="Move it away, or give the import another name with --name.",
            )


def _with_a_cell(draft: Draft) -> Draft:
    """A notebook that holds nothing but tests still has a title."""
    if draft.shown:
        return draft
    place = draft.cells[0].place if draft.cells else CellPlace(draft.title, 1)
    title = DraftCell(place=place, kind="markdown", source=f"# {draft.title}")
    return replace(draft, cells=(title, *draft.cells))


def _write(folder: Path, texts: Mapping[str, str], beside: CompanionFiles) -> None:
    made = {file: text.encode() for file, text in texts.items()} | dict(beside.made)
    copied = {**beside.given, **{f"data/{name}": path for name, path in beside.data.items()}}
    for file in {**made, **copied}:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    for file, content in made.items():
        (folder / file).write_bytes(content)
    for file, path in copied.items():
        shutil.copyfile(path, folder / file)


def _check_reference(module: Path, draft: Draft) -> None:
    """Read the reference back: every cell must be in it as it was, and have a students' form."""
    cells = read_percent(module)
    for cell in cells:
        student_source(cell)
        solution_source(cell)
    wanted = _squeezed(cell.source for cell in draft.shown)
    found = _squeezed(cell.source for cell in cells)
    if wanted != found:
        raise SpecError(
            "a cell can't be written in percent format without changing it",
            where=draft.shown[0].place.file if draft.shown else None,
            hint="Look for cells that hold a line which begins with `# %%`.",
        )


def _squeezed(sources: Iterable[str]) -> str:
    return re.sub(r"\s+", "", "".join(sources))


def _spec(draft: Draft, system: str, beside: CompanionFiles) -> str:
    total = sum((q.points + q.manual for q in draft.questions), Decimal(0))
    lines = [f"title = {_toml(draft.title)}"]
    lines += [f"summary = {_toml(f'Imported from {system}.')}", f"points = {show(total)}"]
    libraries = _libraries(draft, beside)
    if libraries or beside.patterns:
        lines += ["", "[box]"]
    if libraries:
        lines.append(f"libraries = [{', '.join(map(_toml, libraries))}]")
    if beside.patterns:
        lines.append(f"files = [{', '.join(map(_toml, beside.patterns))}]")
    for question in draft.questions:
        lines += ["", "[[questions]]", f"id = {_toml(question.id)}"]
        lines += [f"title = {_toml(question.title)}"]
        if question.points:
            lines.append(f"points = {show(question.points)}")
        if question.manual:
            lines.append(f"manual = {show(question.manual)}")
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    """A basic string of TOML: JSON's escapes, and no line breaks."""
    plain = " ".join(text.replace("\x7f", " ").split())
    return json.dumps(plain, ensure_ascii=False)


def _libraries(draft: Draft, beside: CompanionFiles) -> list[str]:
    """The packages that the notebook imports and the box does not have by itself."""
    cells = [ast.Module(body=cell.statements, type_ignores=[]) for cell in draft.shown]
    modules = {name.partition(".")[0] for cell in cells for name in imports(cell).values()}
    known = _IN_THE_BOX | sys.stdlib_module_names | beside.modules
    return sorted(_PACKAGES.get(module, module) for module in modules - known)


def _demos(draft: Draft) -> list[Remark]:
    """Given cells that call what students write: they raise in the released notebook."""
    definitions = (ast.FunctionDef, ast.ClassDef)
    parts = [(cell, statement) for cell in draft.shown for statement in cell.statements]
    theirs = {s.name for cell, s in parts if cell.has_solution and isinstance(s, definitions)}
    found = []
    for cell, statement in parts:
        if cell.has_solution or isinstance(statement, definitions):
            continue
        calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
        for name in sorted({f.id for f in calls if isinstance(f, ast.Name)} & theirs):
            what = f"it calls {name}, which raises in the released notebook; guard it with try"
            found.append(Remark("look", str(cell.place), what))
    return found


def _not_here(used: Mapping[str, str], beside: CompanionFiles) -> list[Remark]:
    """Modules that the tests import, and that are not installed where they will run."""
    return [
        Remark(
            "look",
            used[module],
            f"the tests import {module}, which is not installed next to grader: they run with the "
            f"judge, not in the box; install it here too: pip install "
            f"{_PACKAGES.get(module, module)}",
        )
        for module in lacking(set(used) - beside.modules)
    ]


def _hidden_only(draft: Draft, public: Mapping[str, str]) -> list[Remark]:
    if public or not draft.tests:
        return []
    what = "students get no public test: all tests of the source are hidden, or could not be turned"
    return [Remark("look", draft.tests[0].place.file, what)]

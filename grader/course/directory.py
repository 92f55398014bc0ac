"""A course directory: any folder that holds `assignments/` and `reference/`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from grader.course.course_reading import load_course_file
from grader.course.given_files import given_files
from grader.course.loading import SPEC_NAME, load_spec
from grader.course.local_times import later_reading
from grader.course.spec import AssignmentSpec, Dates
from grader.errors import SpecError, UsageError
from grader.suggestions import did_you_mean

ASSIGNMENTS = "assignments"
REFERENCE = "reference"
COURSES = "courses"
DATABASE_VARIABLE = "GRADER_DATABASE_URL"

# One path component that every file system and shell takes as it is.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Assignment:
    """One assignment of a course: its checked spec, and where its parts lie.

    `notebook` is empty, or names the one of several notebooks that this is cut down to, see
    `notebooks`.
    """

    name: str
    course_root: Path
    spec: AssignmentSpec
    notebook: str = ""

    @property
    def folder(self) -> Path:
        """The folder that the instructor wrote."""
        return self.course_root / ASSIGNMENTS / self.name

    @property
    def spec_path(self) -> Path:
        """The file `assignment.toml`."""
        return self.folder / SPEC_NAME

    @property
    def hidden_dir(self) -> Path:
        """The hidden suite; it never leaves the judge."""
        return self.folder / "hidden"

    @property
    def public_dir(self) -> Path:
        """The suite that students get for their self-check; it need not exist."""
        return self.folder / "public"

    @property
    def data_dir(self) -> Path:
        """What the box sees read-only at `./data`; it need not exist."""
        return self.folder / "data"

    @property
    def notebooks(self) -> tuple[Assignment, ...]:
        """One assignment for each notebook: its spec, its questions and its reference alone.

        An assignment of one notebook is that itself. Folders, data and suites are shared.
        """
        if not self.spec.notebooks:
            return (self,)
        return tuple(
            replace(self, spec=self.spec.for_notebook(n.name), notebook=n.name)
            for n in self.spec.notebooks
        )

    @property
    def notebook_file(self) -> str:
        """What the notebook is called that students get; of several, the first."""
        first = self.spec.notebooks[0].name if self.spec.notebooks else self.name
        return f"{self.notebook or first}.ipynb"

    @property
    def reference_path(self) -> Path:
        """The reference solution, in jupytext's percent format; of several, the first."""
        if self.spec.notebooks:
            return self.notebooks[0].reference_path
        default = f"{self.name}_{self.notebook}" if self.notebook else self.name
        name = self.spec.reference or f"{default.replace('-', '_')}.py"
        return self.course_root / REFERENCE / name

    @property
    def reference_paths(self) -> dict[str, Path]:
        """The reference solution of each notebook, by the notebook's name; "" where one is all."""
        return {part.notebook: part.reference_path for part in self.notebooks}

    @property
    def reference_module(self) -> str:
        """The name under which the reference solution is imported."""
        return self.reference_path.stem

    def data_files(self) -> list[Path]:
        """List the data files that the spec names (all where it names none), sorted."""
        if self.spec.data is None:
            return list(files_below(self.data_dir))
        chosen = {path for glob in self.spec.data for path in self.data_dir.glob(glob)}
        return [path for path in files_below(self.data_dir) if path in chosen]

    def given_files(self) -> dict[str, Path]:
        """Map what the course gives beside the notebook: its path there, and where it lies."""
        return given_files(self.folder, self.spec.box.files)

    def given_contents(self) -> dict[str, bytes]:
        """The same with the bytes."""
        return {name: path.read_bytes() for name, path in self.given_files().items()}

    def public_files(self) -> list[Path]:
        """List the files of the public suite, sorted."""
        return list(files_below(self.public_dir))

    def bundle_files(self) -> list[Path]:
        """List what can change a mark: spec, hidden suite, reference, data, files beside."""
        return [
            self.spec_path,
            *files_below(self.hidden_dir),
            *self.reference_paths.values(),
            *self.data_files(),
            *self.given_files().values(),
        ]

    def bundle_sha256(self) -> str:
        """Hash the names and bytes of all that can change a mark, in an order of its own."""
        digest = hashlib.sha256()
        named = {p.relative_to(self.course_root).as_posix(): p for p in self.bundle_files()}
        for name in sorted(named):
            content = hashlib.sha256(named[name].read_bytes()).hexdigest()
            # A name cannot hold NUL, so that no two bundles write the same stream.
            digest.update(f"{name}\0{content}\n".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Course:
    """A course directory and its working files, which are made when they are needed."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """Find the course directory that holds `start` (the current folder by default).

        Raises:
            UsageError: neither `start` nor a folder above it is a course directory.
        """
        origin = (start or Path.cwd()).resolve()
        for folder in (origin, *origin.parents):
            if (folder / ASSIGNMENTS).is_dir() and (folder / REFERENCE).is_dir():
                return cls(folder)
        raise UsageError(
            f"no course directory here or above: none holds {ASSIGNMENTS}/ and {REFERENCE}/",
            where=origin,
            hint="Go into your course directory, or make one with: grader init DIR",
        )

    @property
    def course_file(self) -> Path:
        """The file `course.toml`: facts and scheme of the course; it need not exist."""
        return self.root / "course.toml"

    @property
    def database_url(self) -> str:
        """Where the gradebook is.

        `GRADER_DATABASE_URL` says it; else the key `database` of the course file; else it is
        `gradebook.db` in the course.
        """
        named = os.environ.get(DATABASE_VARIABLE)
        if not named and self.course_file.is_file():
            named = load_course_file(self.course_file).database
        return named or f"sqlite:///{self.root / 'gradebook.db'}"

    @property
    def submissions_dir(self) -> Path:
        """What was collected."""
        return self.root / "submissions"

    @property
    def graded_dir(self) -> Path:
        """Pages and results."""
        return self.root / "graded"

    @property
    def released_dir(self) -> Path:
        """What is given to students."""
        return self.root / "released"

    @property
    def template_dirs(self) -> tuple[Path, ...]:
        """The course's own templates, which override those that ship."""
        folder = self.root / "templates"
        return (folder,) if folder.is_dir() else ()

    def names(self) -> list[str]:
        """List the assignments, sorted: the folders that hold an `assignment.toml`."""
        return sorted(
            folder.name
            for folder in (self.root / ASSIGNMENTS).iterdir()
            if _NAME.fullmatch(folder.name) and (folder / SPEC_NAME).is_file()
        )

    def assignment(self, name: str) -> Assignment:
        """Read one assignment and check that its parts are there.

        Raises:
            UsageError: the course has no such assignment.
            SpecError: its spec is wrong or a part of it is missing.
        """
        names = self.names()
        # Names come from a command line or a student's receipt: `../x` must not leave the course.
        if not _NAME.fullmatch(name) or name not in names:
            raise UsageError(
                f"no assignment {name!r}",
                where=self.root / ASSIGNMENTS,
                hint=did_you_mean(name, names, none="The course has no assignments yet."),
            )
        spec = self._with_zone(load_spec(self.root / ASSIGNMENTS / name / SPEC_NAME))
        assignment = Assignment(name=name, course_root=self.root, spec=spec)
        check_assignment(assignment)
        return assignment

    def _with_zone(self, spec: AssignmentSpec) -> AssignmentSpec:
        """Give dates without an offset the course's time zone, where its file names one."""
        dates = [spec.dates.released, spec.dates.due]
        naive = any(date is not None and date.tzinfo is None for date in dates)
        if not naive or not self.course_file.is_file():
            return spec
        course = load_course_file(self.course_file)
        if course.timezone is None:
            return spec
        released, due = (date and later_reading(date, course.zone) for date in dates)
        return msgspec.structs.replace(spec, dates=Dates(released=released, due=due))


def check_assignment(assignment: Assignment) -> None:
    """Check that the hidden suite and the reference are where they must be.

    An assignment whose points a person gives alone needs no suite.

    Raises:
        SpecError: one of them is missing.
    """
    has_suite = any(assignment.hidden_dir.rglob("test_*.py"))
    if assignment.spec.machine_points and not has_suite:
        raise SpecError(
            "the assignment has no hidden suite",
            where=assignment.hidden_dir,
            hint="Write at least one file hidden/test_*.py; it gives the marks.",
        )
    for part in assignment.notebooks:
        _check_reference(part)
    paths = [*assignment.reference_paths.values()]
    if len(set(paths)) < len(paths):
        raise SpecError(
            "two notebooks have the same reference solution",
            where=assignment.spec_path,
            hint="Write a file of reference/ for each of [[notebooks]].",
        )


def _check_reference(part: Assignment) -> None:
    if not part.reference_path.is_file():
        raise SpecError(
            f"the reference solution is missing{f' of {part.notebook}' if part.notebook else ''}",
            where=part.reference_path,
            hint="Write it there, or name another file of reference/ with the key `reference`.",
        )
    if not part.reference_module.isidentifier():
        raise SpecError(
            f"a module cannot be called {part.reference_module!r}",
            where=part.reference_path,
            hint="Rename the file to letters, digits and _, starting with a letter.",
        )


def files_below(folder: Path) -> Iterator[Path]:
    """Walk a folder's files in sorted order, without dotfiles and Python's caches."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden:
            yield path

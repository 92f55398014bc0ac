"""What ships with the package: assignments and courses to start from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.course.directory import ASSIGNMENTS, COURSES, REFERENCE, Assignment, Course
from grader.course.loading import SPEC_NAME
from grader.errors import UsageError
from grader.resources import shipped_dir
from grader.suggestions import did_you_mean

EXAMPLE = "mlp-backprop"

_GITIGNORE = """\
# What students hand in, their names and their marks belong in no repository.
/submissions/
/graded/
/released/
/inbox/
/gradebook.db*
/.pseudonyms.key
/roster.csv
/groups.csv
/matches.csv
/exports/
/published*
/.published.key
/.seeds.key
/.grader-desk
__pycache__/
"""

_IGNORED = shutil.ignore_patterns("__pycache__", ".*", "*.pyc")


def shipped_courses() -> list[str]:
    """List the courses that ship, by name."""
    return sorted(path.stem for path in (shipped_dir("assignments") / COURSES).glob("*.toml"))


@dataclass(frozen=True)
class CatalogEntry:
    """An assignment that ships, and the courses that ship and name it."""

    assignment: Assignment
    courses: tuple[str, ...]


def catalog_entries() -> list[CatalogEntry]:
    """Return every assignment that ships, by name."""
    catalog = _catalog()
    named = {c: load_course_file(_course_file(c)).assignments for c in shipped_courses()}
    return [
        CatalogEntry(
            assignment=catalog.assignment(name),
            courses=tuple(course for course, names in named.items() if name in names),
        )
        for name in catalog.names()
    ]


def init_course(target: Path, course: str | None = None) -> Course:
    """Make a course directory: a shipped course with its assignments, or one example.

    The directory appears whole or not at all.

    Args:
        target: where; a folder that does not exist yet, or is empty.
        course: name of a shipped course; without one, a single example assignment is copied.

    Raises:
        UsageError: the target is in use, or no such course ships.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            "this is not an empty folder",
            where=target,
            hint="Name a folder that does not exist yet; it will be made.",
        )
    course_file = None if course is None else _course_file(course)
    names = (EXAMPLE,) if course_file is None else load_course_file(course_file).assignments
    assignments = [_shipped(name) for name in names]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as work:
        built = Path(work) / "course"
        _write_course(built, assignments, course_file)
        if target.exists():
            target.rmdir()
        built.rename(target)
    return Course(target.resolve())


def _write_course(
    folder: Path, assignments: Iterable[Assignment], course_file: Path | None
) -> None:
    (folder / ASSIGNMENTS).mkdir(parents=True)
    (folder / REFERENCE).mkdir()
    for assignment in assignments:
        copied = folder / ASSIGNMENTS / assignment.name
        shutil.copytree(assignment.folder, copied, ignore=_IGNORED)
        if course_file is not None and assignment.spec.course not in (None, course_file.stem):
            _adopt(copied / SPEC_NAME, course_file.stem)
        for reference in assignment.reference_paths.values():
            shutil.copyfile(reference, folder / REFERENCE / reference.name)
    facts = None
    if course_file is not None:
        shutil.copyfile(course_file, folder / "course.toml")
        facts = load_course_file(course_file)
    (folder / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
    (folder / "README.md").write_text(_readme(facts, assignments), encoding="utf-8")


def _adopt(spec_path: Path, course: str) -> None:
    """Make another course's assignment this one's: its dates are not, and have to be set."""
    kept, in_dates = [], False
    for line in spec_path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            in_dates = line.strip() == "[dates]"
            if in_dates:
                kept.append("# When it is out and when it is due is set here:")
        if line.startswith("course = "):
            line = f'course = "{course}"'
        key = line.partition("=")[0].strip()
        if in_dates and line.strip():
            line = f"# {key} =" if key in ("released", "due") else f"# {line}"
        kept.append(line)
    spec_path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def _readme(facts: CourseFile | None, assignments: Iterable[Assignment]) -> str:
    listed = "\n".join(f"- `{a.name}`: {a.spec.title}" for a in assignments)
    first = next(iter(assignments)).name
    text = dedent("""\
        # {title}

        {listed}

        `assignments/NAME/` holds what you say about an assignment and its suites,
        `reference/NAME.py` its text and solution in one file. Keep this folder from students.

        ```sh
        grader validate {first}              # does all fit together?
        grader release {first}               # for students: released/{first}.zip
        grader grade {first} submissions/    # marks and pages
        ```
        """)
    title = f"{facts.title}, {facts.institution}, {facts.term}" if facts else "A course"
    readme = text.format(title=title, listed=listed, first=first)
    return readme if facts is None else f"{readme}\n{_totals_readme(facts)}"


def _totals_readme(facts: CourseFile) -> str:
    text = dedent("""\
        `course.toml` says what counts how much; `grader totals` computes everybody's total.
        """)
    if not facts.left_open:
        return text
    listed = "\n".join(f"- `{key}`" for key in facts.left_open)
    return f"{text}It leaves open what has to be set before:\n\n{listed}\n"


def _catalog() -> Course:
    # Both folders ship beside each other, so that what ships is a course directory itself.
    return Course(shipped_dir("assignments").parent)


def _shipped(name: str) -> Assignment:
    return _catalog().assignment(name)


def _course_file(course: str) -> Path:
    known = shipped_courses()
    if course not in known:
        raise UsageError(f"no course {course!r} in the catalog", hint=did_you_mean(course, known))
    return shipped_dir("assignments") / COURSES / f"{course}.toml"

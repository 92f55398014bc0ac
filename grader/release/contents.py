"""What a release holds, as names and bytes: the same input gives the same bytes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.course.directory import Assignment
from grader.points import show
from grader.release.check_settings import SETTING_NAME, released_setting
from grader.release.notebooks import notebook_bytes, student_notebook
from grader.release.questions import given_cells
from grader.resources import shipped_dir

# The same ranges as the package's own, so that a student's torch behaves as the box's does.
REQUIREMENTS = (
    "torch>=2.4,<3",
    "numpy>=1.26,<3",
    "matplotlib>=3.8,<4",
    "pytest>=8,<10",
)


def released_contents(assignment: Assignment) -> dict[str, bytes]:
    """Make all files of a release, by their names within it, sorted.

    Raises:
        SpecError: the reference cannot be made into a notebook.
    """
    contents = {
        **{p.notebook_file: notebook_bytes(student_notebook(p)) for p in assignment.notebooks},
        SETTING_NAME: released_setting(
            assignment.spec, {p.notebook: given_cells(p) for p in assignment.notebooks}
        ),
        "README.md": _readme(assignment).encode(),
        "requirements.txt": _requirements(assignment).encode(),
        **_copied("tests", assignment.public_dir, assignment.public_files()),
        **_copied("data", assignment.data_dir, assignment.data_files()),
        **assignment.given_contents(),
    }
    return dict(sorted(contents.items()))


def _copied(folder: str, root: Path, files: list[Path]) -> dict[str, bytes]:
    return {f"{folder}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in files}


def _requirements(assignment: Assignment) -> str:
    lines = [
        *REQUIREMENTS,
        *assignment.spec.box.libraries,
        "",
        "# Optional, for the self-check on your own machine:",
        "# grader",
    ]
    return "\n".join(lines) + "\n"


def _readme(assignment: Assignment) -> str:
    own = assignment.course_root / "templates"
    environment = Environment(
        loader=FileSystemLoader([own, shipped_dir("templates")]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown from the instructor's own spec; nothing of a student's is in it.
        autoescape=False,  # noqa: S701
    )
    environment.filters["points"] = show
    environment.filters["cell"] = _table_cell
    environment.filters["moment"] = _moment
    return environment.get_template("release/README.md.j2").render(
        name=assignment.name,
        files=[part.notebook_file for part in assignment.notebooks],
        spec=assignment.spec,
        has_tests=bool(assignment.public_files()),
        data=[path.relative_to(assignment.data_dir).as_posix() for path in assignment.data_files()],
    )


def _table_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _moment(moment: dt.datetime) -> str:
    """Write a date and time in a way that no locale changes, with its offset if it has one."""
    text = moment.strftime("%Y-%m-%d %H:%M")
    return text if moment.tzinfo is None else f"{text} ({moment.tzname()})"

"""Write docs/catalog.md from the specs that ship: python -m docs.make_catalog [--pictures [NAME]]

With --pictures the reference of each assignment, or of one, is run in the local sandbox and the
fullest of its figures is kept.
"""

from __future__ import annotations

import argparse
import base64
from pathlib import Path

import nbformat

from docs.audit_figures import kept_figures
from grader.course.catalog import CatalogEntry, catalog_entries, shipped_courses
from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.course.directory import COURSES, Assignment
from grader.points import show
from grader.resources import shipped_dir

PAGE = Path(__file__).with_name("catalog.md")
PICTURES = Path(__file__).with_name("pictures") / "catalog"
_INTRODUCTION = """\
# The catalog

*Written by `python -m docs.make_catalog` from the assignments and courses that ship; a test fails
when it is out of date.*

Each assignment has a text to work from, a reference solution, a public and a hidden suite, a sample
class with the marks that it must get, and a model answer with a rubric for every written question.
`grader list --catalog` shows them, and `grader init DIRECTORY --course COURSE` makes a course
directory with what one course uses.
"""
_GLANCE = """\
## At a glance

CPU is what the reference needs, the suite's calls included. Mistakes are those that the hidden
suite notices, of those that an audit put into the reference, one at a time. Attacks are dishonest
notebooks that earn a point. "–" is what nobody has asked yet; [the audits](audits.md) say more.

| topic | assignment | courses | points | by hand | CPU | mistakes noticed | attacks that earn |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
"""
_NONE = "–"


def page() -> str:
    """Return the page: the assignments, then what each course names as its homework."""
    entries = catalog_entries()
    parts = [_INTRODUCTION, _GLANCE + "".join(_row(entry) for entry in entries)]
    parts.append("## Assignments\n")
    parts += [_assignment(entry) for entry in entries]
    parts.append("## Courses\n")
    parts += [_course(name) for name in shipped_courses()]
    return "\n".join(parts)


def picture_of(name: str) -> Path:
    """Where the figure of an assignment is."""
    return PICTURES / f"{name}.png"


def _row(entry: CatalogEntry) -> str:
    spec, name = entry.assignment.spec, entry.assignment.name
    kept = kept_figures(name)
    mutants, attacks = kept.mutants, kept.attacks
    cells = (
        spec.title,
        f"`{name}`",
        ", ".join(f"`{course}`" for course in entry.courses) or _NONE,
        show(spec.points),
        show(spec.manual_points) if spec.manual_points else "",
        f"{kept.room['cpu_s']:.0f} s" if kept.room else _NONE,
        f"{mutants['noticed']} of {mutants['mistakes']}" if mutants else _NONE,
        f"{attacks['earned']} of {attacks['tried']}" if attacks else _NONE,
    )
    return f"| {' | '.join(cells)} |\n"


def _assignment(entry: CatalogEntry) -> str:
    spec, name = entry.assignment.spec, entry.assignment.name
    by_hand = f", {show(spec.manual_points)} of them by hand" if spec.manual_points else ""
    questions = "; ".join(question.title or question.id for question in spec.questions)
    lines = [f"### {spec.title}\n"]
    if picture_of(name).is_file():
        lines.append(f"![A figure that its solution draws](pictures/catalog/{name}.png)\n")
    lines += [
        f"{spec.summary}\n" if spec.summary else "",
        f"`{name}`, {show(spec.points)} points{by_hand}. {questions}.\n",
        f"Courses: {', '.join(f'`{course}`' for course in entry.courses) or 'none yet'}.\n",
    ]
    return "\n".join(line for line in lines if line)


def _course(name: str) -> str:
    course: CourseFile = load_course_file(shipped_dir("assignments") / COURSES / f"{name}.toml")
    lines = [
        f"### {course.title}, {course.institution}\n",
        f"`grader init DIRECTORY --course {name}`\n",
        "| | weight | homework | assignment |",
        "|---|---|---|---|",
    ]
    for component in course.components:
        for item in component.items:
            held = f"`{item.assignment}`" if item.assignment else ""
            weight = "" if component.weight is None else f"{show(component.weight)} %"
            lines.append(f"| {component.title} | {weight} | {item.title} | {held} |")
    return "\n".join(lines) + "\n"


def draw(assignment: Assignment) -> None:
    """Run the reference and keep the fullest of its figures, which has most bytes.

    Raises:
        InfrastructureError: it could not be run here.
        ValueError: it draws none.
    """
    from grader.api.batch_config import trial_config
    from grader.api.trial_jobs import bytes_of_notebooks, job_of_notebooks
    from grader.grading.trials import judge_trials
    from grader.release.notebooks import solution_notebook
    from grader.sandbox.choose import choose

    choice = choose("local", "warm", box=assignment.spec.box)
    config = trial_config(assignment, choice, seed=20_241)
    job = job_of_notebooks("reference", bytes_of_notebooks(assignment, solution_notebook))
    judged = judge_trials(config, [job], lambda _: None)["reference"]
    executed = nbformat.reads(judged.executed.decode(), as_version=4)
    figures = [
        output["data"]["image/png"]
        for cell in executed.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    if not figures:
        raise ValueError(f"{assignment.name} draws no figure")
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture_of(assignment.name).write_bytes(base64.b64decode(max(figures, key=len)))


def main() -> None:
    """Write the page, and the pictures where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", nargs="?", const="", metavar="NAME")
    asked = parser.parse_args().pictures
    if asked is not None:
        for entry in catalog_entries():
            if asked in ("", entry.assignment.name):
                draw(entry.assignment)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

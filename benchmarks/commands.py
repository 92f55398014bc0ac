"""What each command takes that imports no torch: CPU and wall clock, and what it has loaded.

    python benchmarks/commands.py --times 5

All commands of the program but those that run a notebook or build an image, on a course of three
students, made up and recorded. Prints a table as docs/performance.md has it; ends with exit code 1
where a command is left out, fails, or loads what it need not.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import click
import msgspec
import task
from records import fill, made_up, write_course

from grader.cli import cli
from grader.course.directory import Course
from grader.gradebook.store import Gradebook
from grader.grading.verdict import QuestionMark

HERE = Path(__file__).parent
GRADER = Path(sys.executable).with_name("grader")
HEAVY = (
    *("torch", "numpy", "pandas", "matplotlib", "nbconvert", "IPython", "docker", "distributed"),
    *("sqlalchemy", "alembic", "jinja2", "rich", "nbformat", "jupytext", "openpyxl"),
    *("xlsxwriter", "mistune", "pygments", "PIL", "bs4", "starlette"),
)
"""Modules that take longer to import than most commands take."""
RUN_NOTEBOOKS: tuple[str, ...] = ("serve", "check", "grade", "validate", "audit", "doctor")
RUN_NOTEBOOKS += ("similarity", "sandbox build")
"""These run notebooks, read a whole class of them, or build an image."""
RECEIPT = "ps1.receipt.json"
SUBMIT: tuple[str, ...] = ("submit", "ps1.ipynb", "--assignment", "ps1")
SUBMIT += ("--to", "../inbox", "--receipt", RECEIPT)
COMMANDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("--help",): (),
    ("grade", "--help"): (),
    ("list",): (),
    ("init", "new"): (),
    ("import", "nbgrader", "ps1_source.ipynb"): ("jupytext", "nbformat"),
    ("import", "otter", "hw.ipynb"): ("jupytext", "nbformat"),
    ("release", "ps1"): ("jinja2", "jupytext", "nbformat"),
    ("inbox", "make", "new-inbox"): (),
    # A student's cells may have magics, of which IPython knows what they stand for.
    SUBMIT: ("IPython", "pygments"),
    ("receipt", "verify", RECEIPT, "--inbox", "../inbox"): (),
    ("receipt", "fetch", RECEIPT, "--inbox", "../inbox"): (),
    ("roster", "import", "roster.csv"): (),
    ("roster", "match"): (),
    ("roster", "show"): (),
    ("collect", "ps1", "submissions"): ("rich",),
    ("report", "hw1"): ("sqlalchemy", "jinja2"),
    ("mark-answers", "ps1"): (
        *("sqlalchemy", "jinja2", "mistune", "pygments", "jupytext", "nbformat"),
        "xlsxwriter",
    ),
    ("mark", "s0000", "exam", "--points", "8"): ("sqlalchemy",),
    ("show-marks",): ("sqlalchemy",),
    ("history",): ("sqlalchemy",),
    ("excuse", "s0000", "hw1", "--why", "ill"): ("sqlalchemy",),
    ("extend", "s0001", "hw1", "2025-02-05", "--why", "ill"): ("sqlalchemy",),
    ("import-marks", "marks.csv"): ("sqlalchemy",),
    ("move-marks", "q1", "q2", "--of", "hw1", "--dry-run"): ("sqlalchemy",),
    ("totals",): ("sqlalchemy", "jinja2", "rich"),
    ("export", "csv"): ("sqlalchemy",),
    ("export", "xlsx"): ("sqlalchemy", "xlsxwriter"),
    ("feedback", "folder", "hw1"): ("sqlalchemy",),
    ("publish",): ("sqlalchemy", "jinja2"),
    ("gradebook", "upgrade"): ("sqlalchemy",),
    ("gradescope-bundle", "ps1"): ("jinja2",),
    ("gradebook", "backup", "../backup"): ("sqlalchemy",),
    ("sandbox", "status"): ("docker",),
    ("sandbox", "prune"): ("docker",),
    ("sandbox", "stop"): ("docker",),
}
"""Each command, and which of those it may load: it is what it does."""
_SCRIPT = f"""
import sys
from grader.cli import main
try:
    main()
except SystemExit as end:
    code = end.code
print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)
sys.exit(code)
"""


def paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """All commands below one, as they are typed."""
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from paths(found, (*path, name))


def left_out() -> list[str]:
    """Commands that the table does not have."""
    typed = [" ".join(arguments) for arguments in COMMANDS]
    typed += list(RUN_NOTEBOOKS)
    return [path for path in paths(cli) if not any(line.startswith(path) for line in typed)]


def lay_out(root: Path, students: int) -> None:
    """A course with records, and what each command asks for."""
    write_course(root)
    fill(root, students)
    shutil.copytree(HERE / "course", root, dirs_exist_ok=True)
    notebook = json.dumps(task.submission("light", 0, with_tests=False))
    (root / "submissions").mkdir()
    for place in ("ps1.ipynb", "submissions/s0000.ipynb"):
        (root / place).write_text(notebook)
    shutil.copy(task.SOURCE, root / "ps1_source.ipynb")
    from systems import otter_master

    (root / "hw.ipynb").write_text(json.dumps(otter_master()))
    (root / "roster.csv").write_text(
        "id,name,email\n" + "".join(f"s{n:04},A {n},s{n:04}@x.edu\n" for n in range(students))
    )
    spec = root / "assignments" / "ps1" / "assignment.toml"
    manual = spec.read_text().replace('title = "Softmax"', 'title = "Softmax"\nmanual = 1')
    spec.write_text(manual.replace("points = 10", "points = 11", 1))
    (root / "marks.csv").write_text("student,item,points\ns0000,exam,80\n")
    _record_answer(root)
    once = ["inbox", "make", "../inbox"], SUBMIT, ["collect", "ps1", "../inbox"], ["report", "hw1"]
    by_hand = ["mark", "s0000", "hw1", "--question", "q1", "--add", "1", "--why", "shown"]
    for command in (*once, ["totals"], by_hand):
        subprocess.run([GRADER, *command], cwd=root, check=True, capture_output=True)


def _record_answer(root: Path) -> None:
    """A student's answer to the question of ps1 that a person marks."""
    made = made_up("s0000", 1, random.Random(5))
    own = QuestionMark(id="q1", title="", points=Decimal(0), max_points=Decimal(0))
    with Gradebook(Course(root).database_url) as gradebook:
        batch = gradebook.start_batch("ps1", seed=1)
        verdict = msgspec.structs.replace(
            made,
            assignment="ps1",
            tests=(),
            questions=(msgspec.structs.replace(own, manual_points=Decimal(1)),),
            answers={"q1": "Because $e^x$ grows."},
        )
        gradebook.record(verdict, b"{}", batch=batch)


@dataclass(frozen=True)
class Cost:
    """What a command took: medians, in seconds; and which modules of `HEAVY` it has loaded."""

    s: float
    cpu_s: float
    loaded: tuple[str, ...]
    code: int
    said: str


def measure(root: Path, arguments: tuple[str, ...], times: int) -> Cost:
    """Run a command in copies of the course, so often and once before that."""
    walls, processors = [], []
    loaded: tuple[str, ...] = ()
    code, said = 0, ""
    # As it is installed: with compiled modules.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(times + 1):
        with tempfile.TemporaryDirectory() as name:
            place = Path(name, "course")
            shutil.copytree(root, place)
            shutil.copytree(root.parent / "inbox", Path(name, "inbox"))
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            ran = subprocess.run(
                [sys.executable, "-c", _SCRIPT, *arguments],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            walls.append(time.perf_counter() - began)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        *words, last = ran.stderr.splitlines()
        loaded, code = tuple(ast.literal_eval(last)), ran.returncode
        said = " ".join(words) if code else ""
    return Cost(
        statistics.median(walls[-times:]),
        statistics.median(processors[-times:]),
        loaded,
        code,
        said,
    )


def main() -> None:
    """Measure, print the table, and say what is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--students", type=int, default=3)
    parser.add_argument("--only", default="", help="commands that begin so")
    options = parser.parse_args()
    wrong = [f"not measured: {path}" for path in left_out()]
    print("| command | CPU | wall clock | loads |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name, "course")
        root.mkdir()
        lay_out(root, options.students)
        for arguments, allowed in COMMANDS.items():
            typed = " ".join(arguments)
            if not typed.startswith(options.only):
                continue
            cost = measure(root, arguments, options.times)
            loads = ", ".join(sorted(cost.loaded))
            print(f"| `{typed}` | {cost.cpu_s:.2f} s | {cost.s:.2f} s | {loads} |", flush=True)
            if cost.code:
                wrong.append(f"{typed}: {cost.said[:200]}")
            if needless := set(cost.loaded) - set(allowed):
                wrong.append(f"{typed} need not load {', '.join(sorted(needless))}")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()

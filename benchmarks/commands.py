"""What each command takes that imports no torch: CPU and wall clock, and what it has loaded.

    python benchmarks/commands.py --times 5

All commands of the program but those that run a notebook or build an image, on a course of three
students, made up and recorded. Prints a table; ends with exit code 1 where one of them is left out.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import task
from records import fill, write_course

from grader.cli import cli

HERE = Path(__file__).parent
GRADER = Path(sys.executable).with_name("grader")
HEAVY = ("torch", "numpy", "pandas", "sqlalchemy", "matplotlib", "nbconvert", "IPython", "docker")
RUN_NOTEBOOKS = ("serve", "check", "grade", "validate", "doctor", "similarity", "sandbox build")
"""These run notebooks, read a whole class of them, or build an image."""
SUBMIT = ("submit", "ps1.ipynb", "--to", "../inbox", "--receipt", "ps1.receipt.json")
SUBMIT += ("--assignment", "ps1")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("--help",),
    ("grade", "--help"),
    ("list",),
    ("init", "new"),
    ("import", "nbgrader", "ps1_source.ipynb"),
    ("import", "otter", "hw.ipynb"),
    ("release", "ps1"),
    ("inbox", "make", "new-inbox"),
    SUBMIT,
    ("receipt", "verify", "ps1.receipt.json"),
    ("receipt", "fetch", "ps1.receipt.json", "--inbox", "../inbox"),
    ("roster", "import", "roster.csv"),
    ("roster", "match"),
    ("roster", "show"),
    ("collect", "ps1", "submissions"),
    ("report", "hw1"),
    ("mark-answers", "ps1"),
    ("mark", "s0000", "exam", "--points", "8"),
    ("show-marks",),
    ("history",),
    ("excuse", "s0000", "hw1", "--why", "ill"),
    ("extend", "s0001", "hw1", "2025-02-05", "--why", "ill"),
    ("import-marks", "marks.csv"),
    ("move-marks", "q1", "q9", "--of", "hw1", "--dry-run"),
    ("totals",),
    ("export", "csv"),
    ("feedback", "folder", "hw1"),
    ("publish",),
    ("gradebook", "upgrade"),
    ("gradescope-bundle", "ps1"),
    ("sandbox", "status"),
    ("sandbox", "prune"),
    ("sandbox", "stop"),
)
_SCRIPT = f"""
import resource, sys
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


def lay_out(root: Path) -> None:
    """A course with records, and what each command asks for."""
    write_course(root)
    fill(root, 3)
    shutil.copytree(HERE / "course", root, dirs_exist_ok=True)
    notebook = json.dumps(task.submission("light", 0, with_tests=False))
    (root / "submissions").mkdir()
    for place in ("ps1.ipynb", "submissions/s0000.ipynb"):
        (root / place).write_text(notebook)
    shutil.copy(task.SOURCE, root / "ps1_source.ipynb")
    from systems import otter_master

    (root / "hw.ipynb").write_text(json.dumps(otter_master()))
    (root / "roster.csv").write_text(
        "id,name,email\n" + "".join(f"s{n:04},A {n},s{n:04}@x.edu\n" for n in range(3))
    )
    spec = root / "assignments" / "ps1" / "assignment.toml"
    manual = spec.read_text().replace('title = "Softmax"', 'title = "Softmax"\nmanual = 1')
    spec.write_text(manual.replace("points = 10", "points = 11", 1))
    (root / "marks.csv").write_text("student,item,points\ns0000,exam,80\n")
    for command in (["inbox", "make", "../inbox"], list(SUBMIT), ["report", "hw1"], ["totals"]):
        subprocess.run([GRADER, *command], cwd=root, check=True, capture_output=True)


def measure(root: Path, arguments: tuple[str, ...], times: int) -> dict[str, object]:
    """Of each of so many runs in copies of the course, the first one left out."""
    walls, processors, loaded, code, said = [], [], [], 0, ""
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
        loaded, code, said = ast.literal_eval(last), ran.returncode, " ".join(words)
    return {
        "command": " ".join(["grader", *arguments]),
        "s": round(statistics.median(walls[1:]), 2),
        "cpu_s": round(statistics.median(processors[1:]), 2),
        "loaded": loaded,
        "code": code,
        "said": said[:200] if code else "",
    }


def main() -> None:
    """Measure and print one line of JSON for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", default="", help="commands that begin so")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name, "course")
        root.mkdir()
        lay_out(root)
        for arguments in COMMANDS:
            if " ".join(arguments).startswith(options.only):
                print(json.dumps(measure(root, arguments, options.times)), flush=True)
    if missing := left_out():
        raise SystemExit(f"not measured: {', '.join(missing)}")


if __name__ == "__main__":
    main()

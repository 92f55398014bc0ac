"""Grade the submissions of this folder's courses with nbgrader and Otter, and write their marks.

The two are installed into environments of their own, outside of ours; how:

    python -m venv NB && NB/bin/pip install nbgrader==0.9.6 ipykernel numpy torch
    python -m venv OT && OT/bin/pip install otter-grader==7.0.0 ipykernel numpy torch
    OT/bin/python -m ipykernel install --prefix OT --name python3
    python -m tests.conversion.peers NB OT

It takes a few minutes and writes `nbgrader_marks.toml` and `otter_marks.toml` beside this file;
our own marks are held against them by `test_same_marks.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conversion import nbgrader_course, otter_course

HERE = Path(__file__).parent
_READ_GRADEBOOK = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({
        s.student_id: {
            g.name: g.auto_score
            for n in s.notebooks for g in n.grades if g.cell.cell_type == "code"
        }
        for s in book.assignment_submissions("tensors")
    }))
"""


def nbgrader_marks(environment: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Student → test → points, by generate_assignment and autograde."""
    source = folder / "source" / "tensors" / "tensors.ipynb"
    _write(source, nbgrader_course.notebook(nbgrader_course.source_cells()))
    for student in nbgrader_course.STUDENTS:
        place = folder / "submitted" / student / "tensors" / "tensors.ipynb"
        _write(place, nbgrader_course.notebook(nbgrader_course.submission_cells(student)))
    (folder / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'c'\nc.NbGrader.logfile = ''\n"
    )
    for step in ("generate_assignment", "autograde"):
        _run(environment, ["-m", "nbgrader", step, "tensors"], folder)
    found: dict[str, dict[str, float]] = json.loads(
        _run(environment, ["-c", _READ_GRADEBOOK], folder)
    )
    return found


def otter_marks(environment: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Student → question → points, by `otter assign` and `otter run`."""
    _write(folder / "descent.ipynb", otter_course.notebook(otter_course.master_cells()))
    assign = ["-m", "otter", "assign", "--no-pdfs", "--no-run-tests", "descent.ipynb", "dist"]
    _run(environment, assign, folder)
    archive = next((folder / "dist" / "autograder").glob("*.zip"))
    found = {}
    for student in otter_course.STUDENTS:
        handed_in = folder / student / "descent.ipynb"
        _write(handed_in, otter_course.submission(student))
        run = ["-m", "otter", "run", "--no-logo", "-a", str(archive), "-o", str(folder / student)]
        _run(environment, [*run, str(handed_in)], folder)
        tests = json.loads((folder / student / "results.json").read_text())["tests"]
        found[student] = {
            test["name"].lower(): float(test["score"])
            for test in tests
            if "score" in test and test["name"].startswith("q")
        }
    return found


def _write(path: Path, notebook: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))


def _run(environment: Path, arguments: list[str], folder: Path) -> str:
    python = environment.resolve() / "bin" / "python"
    jupyter = {
        f"JUPYTER_{key}_DIR": str(folder / ".j" / key) for key in ("CONFIG", "DATA", "RUNTIME")
    }
    done = subprocess.run(
        [str(python), *arguments],
        cwd=folder,
        env={
            **os.environ,
            **jupyter,
            "IPYTHONDIR": str(folder / ".j" / "ipython"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "OMP_NUM_THREADS": "1",
            "PATH": f"{python.parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout


def _toml(made_by: str, command: str, marks: dict[str, dict[str, float]]) -> str:
    lines = [f'made_by = "{made_by}"', f'command = "{command}"']
    for student in sorted(marks):
        lines += ["", f"[marks.{student}]"]
        lines += [f"{name} = {points}" for name, points in marks[student].items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both files anew."""
    nbgrader, otter = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        marks = nbgrader_marks(nbgrader, Path(folder))
        command = "nbgrader generate_assignment, nbgrader autograde"
        text = _toml(_version(nbgrader, "nbgrader"), command, marks)
        (HERE / "nbgrader_marks.toml").write_text(text)
    with tempfile.TemporaryDirectory() as folder:
        marks = otter_marks(otter, Path(folder))
        text = _toml(_version(otter, "otter-grader"), "otter assign, otter run", marks)
        (HERE / "otter_marks.toml").write_text(text)


def _version(environment: Path, package: str) -> str:
    code = f"from importlib.metadata import version; print('{package}', version('{package}'))"
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()

"""The command as its users call it: arguments in, exit code and two streams out."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.cli import main
from grader.course.directory import Assignment
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook
from tests.helpers.assignments import make_assignment
from tests.helpers.light_boxes import light_boxes  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Grader = Callable[..., Done]


@pytest.fixture
def grader(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Grader:
    """Call the command in this process: quick, and with both streams piped."""

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        said = capfd.readouterr()
        code = exit_.value.code
        assert isinstance(code, int)
        return Done(code, said.out, said.err)

    return call


def in_process_of_its_own(*arguments: object, cwd: Path, **environment: str) -> Done:
    """Call the command as a shell does."""
    command = [sys.executable, "-c", "from grader.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def on_a_terminal(
    arguments: list[str], cwd: Path, *, typed: bytes = b"", **environment: str
) -> str:
    """Call the command with a terminal for its streams and return what is on it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from grader.cli import main; main()", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
        stdin=theirs if typed else subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed)
    said = b""
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:  # Linux says so when the other side has closed
            break
        if not chunk:
            break
        said += chunk
    os.close(ours)
    process.wait(timeout=60)
    return said.decode()


@pytest.fixture
def warm_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    """A course with one assignment; the working directory is in it."""
    assignment = make_assignment(tmp_path / "course")
    monkeypatch.chdir(assignment.course_root)
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    return assignment


@pytest.fixture
def notebook(warm_up: Assignment) -> Path:
    """The released notebook, somewhere outside the course."""
    path = warm_up.course_root.parent / "home" / "warm-up.ipynb"
    path.parent.mkdir()
    path.write_bytes(notebook_bytes(student_notebook(warm_up)))
    return path


def write_class(assignment: Assignment, folder: Path) -> None:
    """Write a class of three: right, untouched, and a file that is no notebook."""
    folder.mkdir(parents=True)
    (folder / "ada.ipynb").write_bytes(notebook_bytes(solution_notebook(assignment)))
    (folder / "ben.ipynb").write_bytes(notebook_bytes(student_notebook(assignment)))
    (folder / "cem.ipynb").write_text('{"cells": [')

"""A class to be disturbed, the command that grades it, and its marks as bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HASTY_SPEC
from tests.helpers.waiting import until

MANY = os.environ.get("GRADER_FAULTS") == "everywhere"
long = pytest.mark.skipif(not MANY, reason="takes long: make test-faults")
ROOT = Path(__file__).resolve().parents[2]
SEED = 7
CLASS = 8
WAIT = "import time\ntime.sleep({seconds})"


def make_class(root: Path, size: int = CLASS) -> Classroom:
    """Right, wrong, noisy and unreadable submissions; each takes a fraction of a second."""
    classroom = Classroom(root)
    classroom.change(spec=HASTY_SPEC)
    for number in range(size):
        name = f"s{number:02}"
        if number == size - 1:
            (classroom.submissions / f"{name}.ipynb").write_text('{"cells": [')
            continue
        extra = [WAIT.format(seconds=0.1 * (number % 4))]
        if number % 3 == 1:
            extra.append("print('x' * 10_000)\n1 / 0")
        classroom.hand_in(name, *extra, untouched=number % 4 == 3)
    return classroom


def start(classroom: Classroom, *more: str, sandbox: str = "local") -> subprocess.Popen[bytes]:
    """The command as a shell starts it; its words go to `said` beside the course."""
    arguments = ["grade", "warm-up", "submissions", "--sandbox", sandbox, "--isolation", "warm"]
    arguments += ["--seed", str(SEED), "--slots", "2", *more]
    with said(classroom).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", "from grader.cli import main; main()", *arguments],
            cwd=classroom.root,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def said(classroom: Classroom) -> Path:
    """What the command has said on its stderr."""
    return classroom.root.parent / f"{classroom.root.name}.said"


def finish(classroom: Classroom, *more: str, sandbox: str = "local") -> int:
    """Run the command to its end."""
    return start(classroom, *more, sandbox=sandbox).wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    """What the out-of-memory killer does, or a machine's owner."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def wait_for_verdicts(classroom: Classroom, process: subprocess.Popen[bytes], count: int) -> None:
    """Wait until the command has said so many verdicts, or has ended."""
    until(lambda: process.poll() is not None or said(classroom).read_bytes().count(b"\n[") >= count)


def marks(classroom: Classroom) -> bytes:
    """Everything in the gradebook that a mark is made of, by student."""
    with Gradebook(classroom.course.database_url) as book:
        found = [_marks_of(v) for v in book.current("warm-up")]
    return msgspec.json.encode(sorted(found, key=lambda row: str(row[0])))


def _marks_of(v: Verdict) -> list[object]:
    tests = [(t.name, t.outcome, t.points, t.message) for t in v.tests]
    whole = [v.outcome, v.points, v.reason, v.questions, v.answers, v.submission.sha256]
    return [v.student, *whole, tests]


def times_judged(classroom: Classroom) -> dict[str, int]:
    """How many verdicts each student has in the record."""
    with Gradebook(classroom.course.database_url) as book:
        entries = book.history("warm-up")
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.verdict.student] = counts.get(entry.verdict.student, 0) + 1
    return counts

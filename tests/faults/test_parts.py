"""A part of a running batch is killed or stopped: the same marks, or said and continued."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.api import Graded, Progress, grade
from grader.grading import worker_connection
from grader.grading.verdict import Outcome
from tests.faults.aftermath import descendants, nothing_is_left
from tests.faults.courses import SEED, long, make_class, marks, times_judged
from tests.grading.conftest import Classroom

pytestmark = [pytest.mark.local_box, pytest.mark.slow, pytest.mark.timeout(300)]

Strike = Callable[[], None]


def run(classroom: Classroom, strike: Strike, *, at: str = "s02", once: bool = True) -> Graded:
    """Grade the class; `strike` is called when a submission begins."""
    struck: list[str] = []

    def begun(student: str) -> None:
        if student == at and not (once and struck):
            struck.append(student)
            strike()

    graded = grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        sandbox="local",
        isolation="warm",
        slots=2,
        seed=SEED,
        progress=Progress(begun=begun),
    )
    assert struck
    return graded


def judges() -> list[int]:
    """The judge's own process; its workers have the same command line and are its children."""
    found = [
        pid for pid, command in descendants().items() if "grader.grading.judge_main" in command
    ]
    return [pid for pid in found if _parent(pid) == os.getpid()]


def workers() -> list[int]:
    """Those that the judge has forked; the judge itself where there is one slot."""
    (judge,) = judges()
    found = [
        pid for pid, command in descendants().items() if "grader.grading.judge_main" in command
    ]
    return [pid for pid in found if _parent(pid) == judge] or [judge]


def zygotes() -> list[int]:
    """The process inside each slot which forks the submissions."""
    found = [pid for pid, command in descendants().items() if "/opt/grader-box" in command]
    return [pid for pid in found if _parent(pid) not in found]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


PARTS = [
    pytest.param(judges, marks=long, id="judge"),
    pytest.param(workers, id="workers"),
    pytest.param(zygotes, marks=long, id="zygotes"),
]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_costs_no_mark(
    tmp_path: Path, undisturbed: bytes, part: Callable[[], list[int]]
) -> None:
    classroom = make_class(tmp_path / "course")

    def strike() -> None:
        pids = part()
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    with nothing_is_left():
        graded = run(classroom, strike)
    assert not graded.infrastructure_errors
    assert marks(classroom) == undisturbed
    assert set(times_judged(classroom).values()) == {1}


@long
def test_a_slot_that_hangs_is_replaced_and_costs_no_mark(tmp_path: Path) -> None:
    classroom = make_class(tmp_path / "course", size=1)
    (classroom.submissions / "s00.ipynb").unlink()
    classroom.hand_in("ada", "import time\ntime.sleep(1)")

    def strike() -> None:
        for pid in zygotes():
            os.kill(pid, signal.SIGSTOP)

    with nothing_is_left():
        graded = run(classroom, strike, at="ada")
    (verdict,) = graded.verdicts
    assert (verdict.outcome, verdict.points) == (Outcome.GRADED, 8)


@long
def test_a_worker_that_hangs_is_given_up_and_costs_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_connection, "job_timeout_s", lambda spec: 8.0)
    classroom = make_class(tmp_path / "course", size=1)
    (classroom.submissions / "s00.ipynb").unlink()
    classroom.hand_in("ada")

    def strike() -> None:
        for pid in workers():
            os.kill(pid, signal.SIGSTOP)

    with nothing_is_left():
        graded = run(classroom, strike, at="ada")
    (verdict,) = graded.verdicts
    assert (verdict.outcome, verdict.points) == (Outcome.GRADED, 8)

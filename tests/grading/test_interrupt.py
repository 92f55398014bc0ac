"""Ctrl-C, once and twice, and slots that do not wait for each other."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from grader.api import Progress, grade
from grader.gradebook.store import Gradebook
from grader.grading.interrupt import Interrupt
from grader.grading.verdict import Verdict
from tests.grading.conftest import Classroom
from tests.helpers.assignments import SPEC

ENDLESS = "import time\ntime.sleep(10_000)"


def run(classroom: Classroom, progress: Progress, slots: int) -> dict[str, Verdict]:
    graded = grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        sandbox="local",
        isolation="warm",
        slots=slots,
        progress=progress,
    )
    return {v.student: v for v in graded.verdicts}


@pytest.fixture(autouse=True)
def _hears_ctrl_c() -> Iterator[None]:
    """A process that was started in the background ignores Ctrl-C, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press(*_args: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def recorded(classroom: Classroom) -> list[str]:
    with Gradebook(classroom.course.database_url) as gradebook:
        return [v.student for v in gradebook.current("warm-up")]


@pytest.mark.local_box
def test_ctrl_c_once_finishes_what_runs_and_begins_nothing_more(classroom: Classroom) -> None:
    for student in ("ada", "bob", "cleo"):
        classroom.hand_in(student)
    told: list[str] = []
    stop = Progress(begun=press, stopping=lambda: told.append("stopping"))
    with pytest.raises(KeyboardInterrupt):
        run(classroom, stop, slots=1)
    assert told == ["stopping"]
    assert recorded(classroom) == ["ada"]

    ran: list[str] = []
    assert len(run(classroom, Progress(begun=ran.append), slots=1)) == 3
    assert ran == ["bob", "cleo"]


@pytest.mark.slow
@pytest.mark.local_box
def test_ctrl_c_twice_stops_now_and_keeps_what_was_committed(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    classroom.hand_in("slow", ENDLESS)

    def twice(student: str, cell: int, _cells: int) -> None:
        if student == "slow" and cell == 1:
            press()
            press()

    with pytest.raises(KeyboardInterrupt):
        run(classroom, Progress(cell=twice), slots=1)
    assert recorded(classroom) == ["ada"]  # to wait for the other would end with its verdict


@pytest.mark.local_box
def test_a_slow_submission_does_not_idle_the_others_and_ctrl_c_twice_does_not_wait_for_it(
    classroom: Classroom,
) -> None:
    classroom.change(spec=SPEC.replace("cell_s = 60", "cell_s = 300"))
    classroom.hand_in("a-slow", ENDLESS)
    for student in ("bob", "cleo", "dora"):
        classroom.hand_in(student)
    begun: list[str] = []
    ended: list[str] = []

    def judged(verdict: Verdict) -> None:
        ended.append(verdict.student)
        if len(ended) == 3:
            press()
            press()

    with pytest.raises(KeyboardInterrupt):
        run(classroom, Progress(begun=begun.append, judged=judged), slots=2)
    assert "a-slow" in begun[:2]
    assert sorted(ended) == sorted(recorded(classroom)) == ["bob", "cleo", "dora"]


def test_the_handler_of_before_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(lambda: None):
        pass
    assert signal.getsignal(signal.SIGINT) is before

"""The judge's process: what it does first, and what it leaves when it can't go on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pytest

from grader.api.batch_config import batch_config
from grader.errors import InfrastructureError
from grader.grading import judge_main
from grader.grading.job import WorkerError
from grader.sandbox.choose import Choice
from tests.grading.conftest import Classroom

LATER = ("torch", "pytest", "numpy", "nbconvert", "docker", "IPython", "matplotlib")


@pytest.mark.parametrize(
    ("module", "later"),
    [
        ("grader.grading.judge_main", (*LATER, "sqlalchemy")),
        ("grader.api.checking", (*LATER, "sqlalchemy")),
        ("grader.api.grading", LATER),
    ],
)
def test_what_takes_seconds_is_not_imported_before_a_slot_can_start(
    module: str, later: tuple[str, ...]
) -> None:
    script = f"import sys, {module}\nprint([name for name in {later} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


class Place:
    """A slot that writes down what is done with it."""

    def __init__(self, done: list[str]) -> None:
        self.done = done
        self.refuses = False

    def start(self) -> None:
        self.done.append("the slot starts")
        if self.refuses:
            raise InfrastructureError("there is no room", hint="Make some.")

    def stop(self) -> None:
        self.done.append("the slot stops")


@pytest.fixture(autouse=True)
def _signals_are_put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Judging:
    """Serves connections with parts that only write down that they were called."""

    def __init__(self, classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        set_ = partial(monkeypatch.setattr, judge_main)
        self.slot = Place(self.done)
        assignment = classroom.course.assignment("warm-up")
        choice = Choice(sandbox="local", isolation="warm", why="")
        self.config = batch_config(assignment, choice, 0, slots=1, gpus=())
        set_("make_slot", lambda config: self.slot)
        set_("load_suites", lambda: self.done.append("torch is imported"))
        set_("_be_worker", lambda *_: self.done.append("it is the worker"))
        set_("_fork_workers", lambda *_: self.done.append("workers fork"))
        monkeypatch.setattr(judge_main.gc, "freeze", lambda: None)

    def serve(self, workers: int) -> Connection:
        """Serve so many; returns the batch's end of the first connection."""
        pairs = [socket.socketpair() for _ in range(workers)]
        ours, theirs = (
            [Connection(end.detach()) for end in ends] for ends in zip(*pairs, strict=True)
        )
        ours[0].send_bytes(msgspec.msgpack.encode(self.config))
        judge_main.serve(theirs, parent=os.getppid())
        return ours[0]


@pytest.fixture
def judging(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> Judging:
    return Judging(classroom, monkeypatch)


def test_the_slot_of_a_single_worker_warms_up_while_torch_is_imported(judging: Judging) -> None:
    judging.serve(1)
    assert judging.done == [
        "the slot starts",
        "torch is imported",
        "it is the worker",
        "the slot stops",
    ]


def test_several_workers_have_slots_of_their_own_once_they_are_forked(judging: Judging) -> None:
    judging.serve(2)
    assert judging.done == ["torch is imported", "workers fork"]


def test_a_slot_that_can_not_start_is_said_before_anything_is_imported(judging: Judging) -> None:
    judging.slot.refuses = True
    said = msgspec.msgpack.decode(judging.serve(1).recv_bytes(), type=WorkerError)
    assert (said.what, said.hint) == ("there is no room", "Make some.")
    assert judging.done == ["the slot starts", "the slot stops"]


def test_a_suite_that_is_broken_leaves_no_slot(judging: Judging) -> None:
    hidden = Path(judging.config.hidden)
    next(hidden.glob("test_*.py")).write_text("import troch\n")
    said = msgspec.msgpack.decode(judging.serve(1).recv_bytes(), type=WorkerError)
    assert said.error == "SuiteError"
    assert judging.done == ["the slot starts", "torch is imported", "the slot stops"]


def test_a_judge_that_is_stopped_while_it_imports_leaves_no_slot(
    judging: Judging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge_main, "load_suites", lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(SystemExit) as caught:
        judging.serve(1)
    assert caught.value.code == 143
    assert judging.done == ["the slot starts", "the slot stops"]

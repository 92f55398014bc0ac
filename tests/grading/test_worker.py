"""A worker whose sandbox fails: no verdict on one submission, or an end of the batch."""

from __future__ import annotations

import json
import socket
import threading
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import pytest

from grader.errors import InfrastructureError
from grader.grading import worker as worker_module
from grader.grading.job import FromWorker, Job, Judged, WorkerError
from grader.grading.verdict import Outcome
from grader.grading.worker import Worker
from grader.sandbox.base import Session, Slot
from grader.wire import messages as m
from tests.helpers.settings import SETTING

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {
            "cell_type": "code",
            "id": "a",
            "metadata": {},
            "source": "x = 1",
            "outputs": [],
            "execution_count": None,
        }
    ],
}


class Empty(Session):
    """A session that opens and in which nothing runs."""

    def run_cell(self, *_: Any, **__: Any) -> Any:
        raise InfrastructureError("the sandbox went away")

    def request(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is asked here")

    def close(self) -> m.Ended:
        return m.Ended(session=1, cause="closed")


class Refusing(Slot):
    """A slot that refuses the sessions of those numbers."""

    def __init__(self, refused: range) -> None:
        self._refused = refused
        self.asked = 0
        self.stopped = 0
        self.started: list[int] = []

    def start(self) -> None:
        """Take note of how many sessions had been asked for by then."""
        self.started.append(self.asked)

    def wait_ready(self) -> m.Hello:
        return m.Hello(pid=1, isolation="warm", packages={}, jail={}, warm_s=0.0, resident_bytes=0)

    def open(self, *, seed: int, limits: m.Limits) -> Session:
        self.asked += 1
        if self.asked in self._refused:
            raise InfrastructureError("the jail could not be closed", hint="Run `grader doctor`.")
        return Empty()

    def stop(self) -> None:
        self.stopped += 1


def judged(
    slot: Slot, monkeypatch: pytest.MonkeyPatch, mending_s: float = 60.0
) -> Judged | WorkerError:
    monkeypatch.setattr(worker_module, "MENDING_S", mending_s)
    monkeypatch.setattr(worker_module, "_LOOK_S", 0.01)
    ours, _theirs = socket.socketpair()
    connection = Connection(ours.detach())
    worker = Worker(SETTING, None, connection, slot)  # type: ignore[arg-type]
    job = Job(student="ada", file="ada.ipynb", sha256="0" * 64, data=json.dumps(NOTEBOOK).encode())
    return worker._judge(job)


def test_a_submission_under_which_a_sound_sandbox_fails_is_no_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slot = Refusing(range(0))
    said = judged(slot, monkeypatch)
    assert isinstance(said, Judged)
    assert said.verdict.outcome is Outcome.INFRASTRUCTURE_ERROR
    assert "the sandbox went away" in said.verdict.reason
    # Once for the submission, once to see whether anything runs: who has the queue tries again.
    assert (slot.asked, slot.stopped) == (2, 1)


def test_a_sandbox_that_refuses_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slot = Refusing(range(1, 4))
    said = judged(slot, monkeypatch)
    assert isinstance(said, Judged)
    assert said.verdict.outcome is Outcome.INFRASTRUCTURE_ERROR
    assert slot.asked == 3 + 1


def test_a_sandbox_in_which_nothing_runs_ends_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    said = judged(Refusing(range(1, 1_000_000)), monkeypatch, mending_s=0.05)
    assert isinstance(said, WorkerError)
    assert said.what == "the jail could not be closed"
    assert said.hint == ("Run `grader doctor`. What is graded is kept: the same command goes on.")


def served(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a worker says that is given one job, and then no more."""
    monkeypatch.setattr(worker_module, "MENDING_S", 60.0)
    monkeypatch.setattr(worker_module, "_LOOK_S", 0.01)
    ours, theirs = socket.socketpair()
    job = Job(student="ada", file="ada.ipynb", sha256="0" * 64, data=json.dumps(NOTEBOOK).encode())
    with Connection(theirs.detach()) as batch:
        batch.send_bytes(msgspec.msgpack.encode(job))
        worker = Worker(SETTING, None, Connection(ours.detach()), slot)  # type: ignore[arg-type]
        monkeypatch.setattr(worker_module.signal, "signal", lambda *_: None)
        thread = threading.Thread(target=worker.run)
        thread.start()
        said: list[Any] = []
        while not said or not isinstance(said[-1], Judged):
            said.append(msgspec.msgpack.decode(batch.recv_bytes(), type=FromWorker))
    thread.join()
    return said


def test_the_slot_warms_up_again_as_soon_as_a_submission_is_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slot = Refusing(range(0))
    served(slot, monkeypatch)
    assert slot.started == [0, 2]


def test_a_slot_that_does_not_start_again_is_told_by_whoever_opens_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Gone(Refusing):
        def start(self) -> None:
            super().start()
            if self.asked:
                raise InfrastructureError("the engine is gone")

    slot = Gone(range(0))
    assert isinstance(served(slot, monkeypatch)[-1], Judged)
    assert slot.started == [0, 2]

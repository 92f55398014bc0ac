"""A busy machine is not a broken one: a start is judged by signs of life, never by the clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.box import session as box_session
from grader.box import zygote
from grader.box.memory import MemoryWatch
from grader.errors import InfrastructureError
from grader.sandbox import liveness
from grader.sandbox.base import SlotOptions
from grader.sandbox.liveness import LIFELESS_S, SLOW_S, UNSEEN_S, Liveness, processor_s
from grader.sandbox.local_slot import LocalSlot
from grader.wire.messages import Limits
from tests.helpers.light_boxes import LIGHT

YEAR_S = 365 * 24 * 3600


class Clock:
    """A clock that goes on only when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_uses_a_little_processor_now_and_then_is_waited_for_however_long() -> None:
    clock, used = Clock(), 0.0
    life = Liveness(lambda: used, clock=clock)
    while clock.now < YEAR_S:
        clock.now += LIFELESS_S
        used += 0.01
        assert life.look() == clock.now


def test_what_uses_none_is_given_up_after_a_long_time_from_its_last_sign_of_life() -> None:
    clock, used = Clock(), 1.0
    life = Liveness(lambda: used, clock=clock)
    clock.now = 10 * LIFELESS_S
    life.look()
    clock.now += LIFELESS_S
    life.look()
    used += 0.01
    clock.now += 1
    life.look()
    clock.now += LIFELESS_S
    life.look()
    clock.now += 1
    with pytest.raises(InfrastructureError, match="it has used no processor for 301 s"):
        life.look()


def test_the_end_of_one_of_its_processes_is_a_sign_of_life() -> None:
    clock, used = Clock(), [5.0, 3.0, 1.0]
    life = Liveness(lambda: used.pop(0), clock=clock)
    while used:
        clock.now += LIFELESS_S
        life.look()


def test_where_nobody_tells_what_it_uses_only_the_clock_is_left_and_it_is_patient() -> None:
    clock = Clock()
    life = Liveness(lambda: None, clock=clock)
    clock.now = UNSEEN_S
    life.look()
    clock.now += 1
    with pytest.raises(InfrastructureError, match="it has said nothing for 1801 s"):
        life.look()


def test_of_a_start_that_is_quick_nothing_is_asked() -> None:
    def asked() -> float:
        raise AssertionError("the engine needs two seconds to tell")

    clock = Clock()
    life = Liveness(asked, clock=clock)
    clock.now = SLOW_S - 1
    assert life.look() == SLOW_S - 1


def test_processor_time_is_that_of_a_process_and_all_below_it() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True); input()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"done\n"
        used = processor_s(process.pid)
        process.communicate(b"\n")
    assert used is not None and used >= 0.25
    assert processor_s(process.pid) is None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a start which shows no life is given up within a test."""
    monkeypatch.setattr(liveness, "SLOW_S", 0.0)
    monkeypatch.setattr(liveness, "LIFELESS_S", 2.0)
    monkeypatch.setattr("grader.sandbox.stream.LOOK_S", 0.2)
    monkeypatch.setattr("grader.sandbox.process._END_S", 1.0)


@pytest.fixture
def slot() -> Iterator[LocalSlot]:
    found = LocalSlot(SlotOptions(preloads=LIGHT))
    yield found
    found.stop()


@pytest.mark.local_box
def test_a_zygote_that_is_stopped_shows_no_life_and_one_that_goes_on_is_waited_for(
    impatient: None, slot: LocalSlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot.start()
    assert slot._process is not None
    os.killpg(slot._process.pid, signal.SIGSTOP)
    with pytest.raises(InfrastructureError, match="it has used no processor for"):
        slot.wait_ready()
    monkeypatch.setattr(liveness, "LIFELESS_S", LIFELESS_S)
    assert slot.wait_ready().isolation == "warm"  # another one


class SlowSlot(LocalSlot):
    """As on a machine with much to do: it takes long to start."""

    def command(self, folder: Path) -> tuple[list[str], dict[str, str]]:
        command, environment = super().command(folder)
        wait = "import os, sys, time\ntime.sleep(1)\nos.execv(sys.argv[1], sys.argv[1:])"
        return [sys.executable, "-c", wait, *command], environment


@pytest.mark.local_box
def test_a_zygote_that_is_slow_to_start_is_waited_for_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(liveness, "SLOW_S", 0.0)
    monkeypatch.setattr("grader.sandbox.stream.LOOK_S", 0.2)
    slot, said = SlowSlot(SlotOptions(preloads=LIGHT)), list[float]()
    slot.on_slow = said.append
    try:
        assert slot.wait_ready().isolation == "warm"
    finally:
        slot.stop()
    assert max(said) > 0.5


def test_a_child_that_is_slow_to_close_its_jail_is_waited_for_and_one_that_hangs_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, ticks = Clock(), 0
    monkeypatch.setattr(box_session.time, "monotonic", clock)
    monkeypatch.setattr(box_session, "processor_ticks", lambda pid: ticks)
    ours, theirs = box_session.channel()
    child = box_session.BoxSession(1, ours, theirs, Limits(), MemoryWatch(1))
    for _ in range(1000):
        clock.now += zygote.JAIL_LIFELESS_S
        ticks += 1
        assert child.lifeless_s() == 0
    clock.now += zygote.JAIL_LIFELESS_S + 1
    assert child.lifeless_s() > zygote.JAIL_LIFELESS_S
    os.close(ours), os.close(theirs)

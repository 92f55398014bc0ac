"""Time limits, and that time without a processor does not count."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from grader.box import alarm
from grader.box.alarm import Alarm
from grader.wire.waiting import WAITING, waited_s

LIMIT_S = 0.2


class Late(BaseException):
    pass


def endless() -> None:
    while True:
        time.sleep(0.01)


def lasted(limit_s: float) -> float:
    """How long an endless loop runs."""
    began = time.monotonic()
    with pytest.raises(Late), Alarm(limit_s, Late, during=endless):
        endless()
    return time.monotonic() - began


def waits(share: float) -> Callable[[], float]:
    """A main thread that has waited for this share of the time."""
    began = time.monotonic()
    return lambda: share * (time.monotonic() - began)


def left(monkeypatch: pytest.MonkeyPatch, *, after_s: float, waited: float) -> float:
    """What a limit of 1000 s leaves after so many seconds; a busy machine may take some off it."""
    monkeypatch.setattr(alarm, "waited_s", lambda: waited)
    running = Alarm(1000, Late, during=endless)
    running._began, running._waited = time.monotonic() - after_s, 0.0
    return running._left()


def test_a_loop_that_has_its_processor_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < left(monkeypatch, after_s=500, waited=0) <= 500
    assert left(monkeypatch, after_s=1000, waited=0) <= 0
    monkeypatch.setattr(alarm, "waited_s", waits(0))
    assert lasted(LIMIT_S) >= LIMIT_S


def test_time_spent_waiting_for_a_processor_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < left(monkeypatch, after_s=1000, waited=400) <= 400
    assert left(monkeypatch, after_s=1400, waited=400) <= 0
    monkeypatch.setattr(alarm, "waited_s", waits(0.4))
    assert lasted(LIMIT_S) >= LIMIT_S / 0.6 - 0.02


def test_waiting_never_lengthens_a_limit_beyond_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < left(monkeypatch, after_s=1500, waited=5000) <= 500
    assert left(monkeypatch, after_s=WAITING * 1000, waited=5000) <= 0
    monkeypatch.setattr(alarm, "waited_s", waits(1))
    assert lasted(LIMIT_S) >= WAITING * LIMIT_S - 0.02


def test_sleep_is_no_waiting() -> None:
    before, began = waited_s(), time.monotonic()
    time.sleep(0.3)
    assert waited_s() - before <= time.monotonic() - began - 0.3 + 0.02


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_a_process_that_shares_its_processor_waits() -> None:
    processor = min(os.sched_getaffinity(0))
    busy = f"import os\nos.sched_setaffinity(0, {{{processor}}})\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(2)]
    measure = (
        "import os, time\n"
        "from grader.wire.waiting import waited_s\n"
        f"os.sched_setaffinity(0, {{{processor}}})\n"
        "end = time.monotonic() + 2\n"
        "while time.monotonic() < end: pass\n"
        "print(waited_s())"
    )
    try:
        said = subprocess.run(
            [sys.executable, "-c", measure], capture_output=True, text=True, check=True, timeout=60
        )
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert float(said.stdout) > 0.5


def test_an_alarm_waits_while_a_message_is_half_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "waited_s", waits(0))
    whole = False

    def sends() -> None:
        nonlocal whole
        with Alarm.held():
            time.sleep(0.2)
            whole = True
        pytest.fail("the alarm was not heard")

    with pytest.raises(Late), Alarm(0.05, Late, during=sends):
        sends()
    assert whole


def test_a_ring_between_what_may_take_long_and_its_end_is_not_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody would catch it there: the process would end, by its own doing as it seems."""
    monkeypatch.setattr(alarm, "waited_s", waits(0))

    def quick() -> str:
        return "done"

    with Alarm(0.02, Late, during=quick):
        said = quick()
        time.sleep(0.2)
    assert said == "done"
    with Alarm(0.02, Late, during=endless):
        with pytest.raises(Late):
            endless()
        time.sleep(alarm.AGAIN_S + 0.2)

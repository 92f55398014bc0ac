"""The desk under load while its processes are killed: nothing is lost, nothing is judged twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.desk.courses import Desk
from grader.desk.engine.work import ENDED_ENGINES
from grader.desk.keeping import Kept
from grader.gradebook.tries import TryState
from tests.faults.courses import MANY
from tests.helpers.desk_load import (
    PATIENCE_S,
    Seat,
    free_port,
    hand_in_all,
    kept,
    light_engine,
    make_class,
    opened,
    seats,
    until_it_answers,
    web_process,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
KILLS = 30 if MANY else 4
STUDENTS = 600 if MANY else 80


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < end, "it did not come to an end"
        time.sleep(0.1)


def kill(one: Kept, pid: int | None) -> None:
    """Kill a process as the kernel does, and wait until another is in its place."""
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        until(lambda: one.pid not in (None, pid))


def children(pid: int | None) -> list[int]:
    """The processes that a process has started, whichever of its threads did."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, path.read_text().split())
    return found


def killed_under_load(found: list[Seat], kills: list[Callable[[], None]]) -> dict[str, int]:
    """Have all of them hand in while processes are killed, one after the other."""
    acknowledged: dict[str, int] = {}
    half = len(found) // 2

    def load() -> None:
        acknowledged.update(hand_in_all(found[:half], threads=4))

    loading = threading.Thread(target=load)
    loading.start()
    at = half
    step = max(1, (len(found) - half) // len(kills))
    for one in kills:
        one()
        acknowledged.update(hand_in_all(found[at : at + step], threads=4))
        at += step
    loading.join(PATIENCE_S)
    assert not loading.is_alive()
    return acknowledged | hand_in_all(found[at:], threads=4)


def check(desk: Desk, acknowledged: dict[str, int]) -> None:
    """Every try that was acknowledged has one verdict, and there is no other."""
    tries = desk.courses["course"].gradebook.tries

    def all_ended() -> bool:
        given_up = [t.id for t in tries.failed(limit=1000)]
        if given_up:  # it was in the hands of four engines that were killed: staff say "again"
            assert {t.problem for t in tries.some(given_up)} == {ENDED_ENGINES}
            desk.courses["course"].gradebook.queue.again(given_up)
        return all(t.state is TryState.JUDGED for t in tries.some(list(acknowledged.values())))

    until(all_ended)
    history = desk.courses["course"].gradebook.history("warm-up")
    twice = {s: n for s, n in Counter(e.verdict.student for e in history).items() if n > 1}
    assert twice == {}
    assert {e.verdict.student for e in history} == set(acknowledged)
    assert tries.receiving() == []
    folder = desk.courses["course"].course.submissions_dir / "warm-up"
    assert {p.name for p in folder.iterdir() if p.is_dir()} == set(acknowledged)


def test_thirty_kills_of_either_process_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_LIGHT_S", "0.05")
    root = make_class(tmp_path / "course", students=STUDENTS)
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    desk = opened(root, origin)
    found = seats(desk, origin)
    web, engine = web_process(root, port), light_engine(root)
    with kept(web, engine):
        until_it_answers(origin)
        either: list[Callable[[], None]] = [
            lambda: kill(web, web.pid),
            lambda: kill(engine, engine.pid),
        ]
        check(desk, killed_under_load(found, either * (KILLS // 2)))
    assert web.starts > KILLS // 2 and engine.starts > KILLS // 2


def test_a_facultys_processes_are_killed_at_random_and_lose_nothing(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_LIGHT_S", "0.05")
    monkeypatch.setenv("GRADER_DATABASE_URL", postgres_url)
    root = make_class(tmp_path / "course", students=STUDENTS)
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    desk = opened(root, origin)
    found = seats(desk, origin)
    web = web_process(root, port, "--workers", "3")
    engines = [light_engine(root, f"engine {n}") for n in (1, 2)]
    draw = random.Random(7)

    def kill_one() -> None:
        one = draw.choice([web, *engines])
        if one is web:
            os.kill(draw.choice(children(web.pid)), signal.SIGKILL)
        else:
            kill(one, one.pid)

    with kept(web, *engines):
        until_it_answers(origin)
        until(lambda: len(children(web.pid)) == 3)
        check(desk, killed_under_load(found, [kill_one] * KILLS))

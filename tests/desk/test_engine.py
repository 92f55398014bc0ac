"""The engine: from a try in the queue to a verdict in the record, whatever dies on the way."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grader.api.batch_lock import batch_lock
from grader.desk.engine import work
from grader.desk.engine.judging import MAX_POOLS, BusyError, Judging
from grader.desk.engine.supervisor import Supervisor
from grader.desk.engine.talk import CellNews
from grader.desk.engine.work import AT_ONCE, ENDED_ENGINES, HUNG, LEASE, MAX_STARTS, Engine
from grader.errors import InfrastructureError
from grader.gradebook.tries import DeskTry, TryState
from grader.grading.cluster import Cluster, open_cluster
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.desk.conftest import Tables
from tests.helpers.assignments import make_assignment
from tests.helpers.hanging_engine import HANGS_AT
from tests.helpers.waiting import LIMIT_S, until

pytestmark = pytest.mark.local_box


def solution(tables: Tables) -> bytes:
    assignment = tables.course.course.assignment("warm-up")
    made = json.loads(notebook_bytes(solution_notebook(assignment)))
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
    return json.dumps(made).encode()


def handed_in(tables: Tables, student: str, content: bytes, key: str = "k") -> DeskTry:
    answer = tables.browser(student).hand_in(("warm-up.ipynb", content), key=key)
    assert answer.status_code == 303, answer.text
    return tables.course.gradebook.tries.of(student)[0]


def waiting(tables: Tables, number: int, like: DeskTry) -> list[DeskTry]:
    """Tries that wait, of the same files as one that was handed in."""
    tries = tables.course.gradebook.tries
    found = []
    for n in range(number):
        one, _ = tries.receive(
            f"{like.assignment}-{n}",
            assignment=like.assignment,
            student=like.student,
            file=like.file,
            received_from=like.student,
            seed=n,
            now=tables.now,
        )
        stored = {"attempt": like.attempt, "sha256": like.sha256, "folder": like.folder}
        found.append(tries.stored(one.id, **cast(Any, stored)))
    return found


class Running:
    """An engine in a thread of the test, which stands for its process."""

    def __init__(self, tables: Tables, machines: Cluster | None = None) -> None:
        course = tables.course
        self.told: list[CellNews] = []
        self.engine = Engine(
            course.course,
            course.gradebook,
            "e1",
            sandbox="local",
            slots=1,
            machines=machines,
            tell=self.told.append,
        )
        self.thread = threading.Thread(target=self.engine.run)

    def __enter__(self) -> Engine:
        self.thread.start()
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.stop()
        self.thread.join(LIMIT_S)
        assert not self.thread.is_alive()


def test_tries_are_judged_as_the_command_line_judges_them(
    tables: Tables,
) -> None:
    tries = tables.course.gradebook.tries
    good = handed_in(tables, "ada", solution(tables))
    running = Running(tables)
    with running:
        until(lambda: tries.some([good.id])[0].state.ended)
        later = handed_in(tables, "ben", solution(tables).replace(b"softmax", b"softmin"))
        until(lambda: tries.some([later.id])[0].state.ended)
    one = tries.get(good.id)
    assert one is not None and one.state is TryState.JUDGED and one.verdict is not None
    entry = tables.course.gradebook.entry(one.verdict)
    assert entry is not None
    assert (entry.verdict.points, entry.verdict.max_points) == (8, 8)
    assert entry.verdict.submission.submitted_at == one.received_at
    page = tables.browser("ada").get(f"/c/course/t/{one.id}").text
    assert "<strong>8</strong> of 8" in page
    assert "2 wait for a person" in page
    result = tables.browser("ada").get(f"/c/course/t/{one.id}/result/page")
    assert result.headers["content-security-policy"].startswith("sandbox;")
    assert tables.browser("ben").get(f"/c/course/t/{later.id}").text.count("of 8") > 0
    assert {n.number for n in running.told} == {good.id, later.id}


def test_a_suite_that_is_broken_costs_nobody_a_try(tables: Tables) -> None:
    hidden = next((tables.course.course.root / "assignments/warm-up/hidden").glob("test_*.py"))
    hidden.write_text(hidden.read_text() + "\nraise RuntimeError('oops')\n")
    one = handed_in(tables, "ada", solution(tables))
    tries = tables.course.gradebook.tries
    with Running(tables):
        until(lambda: tries.some([one.id])[0].state.ended)
    (found,) = tries.some([one.id])
    assert (found.state, found.verdict) == (TryState.FAILED, None)
    page = tables.browser("ada").get(f"/c/course/t/{one.id}").text
    assert "It costs you no try" in page
    assert "oops" not in page


@pytest.mark.parametrize("half", [b"", None], ids=["half-written", "away"])
def test_tries_wait_while_the_spec_is_being_written(tables: Tables, half: bytes | None) -> None:
    one = handed_in(tables, "ada", solution(tables))
    tries = tables.course.gradebook.tries
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    whole = spec.read_bytes()

    def troubles() -> list[str]:
        at_work = tables.course.gradebook.engines.at_work(now=dt.datetime.now(dt.UTC))
        return [engine.trouble for engine in at_work]

    spec.unlink() if half is None else spec.write_bytes(half)
    with Running(tables):
        until(lambda: any("warm-up" in t for t in troubles()), "what is said of it")
        until(lambda: tries.some([one.id])[0].state is TryState.WAITING)
        spec.write_bytes(whole)
        until(lambda: tries.some([one.id])[0].state.ended)
        assert tries.some([one.id])[0].state is TryState.JUDGED
        until(lambda: not any(troubles()))


def test_a_try_that_has_ended_every_engine_is_given_up(tables: Tables) -> None:
    one = handed_in(tables, "ada", solution(tables))
    tries = tables.course.gradebook.tries
    claims = tables.course.gradebook.claims
    for _ in range(MAX_STARTS):
        claims.take("e1", limit=1, now=tables.now, lease=LEASE)
        claims.release("e1")
    with Running(tables):
        until(lambda: tries.some([one.id])[0].state.ended)
    assert tries.some([one.id])[0].problem.startswith("It ended the engine")


def test_what_is_not_judged_when_the_engine_stops_goes_back_into_the_queue(tables: Tables) -> None:
    slow = solution(tables).replace(b'"import torch"', b'"import time, torch; time.sleep(600)"')
    one = handed_in(tables, "ada", slow)
    tries = tables.course.gradebook.tries
    with Running(tables):
        until(lambda: tries.some([one.id])[0].state is TryState.RUNNING)
    (found,) = tries.some([one.id])
    assert (found.state, found.starts) == (TryState.WAITING, 0)


@pytest.mark.slow
def test_an_assignment_that_a_command_grades_keeps_no_other_from_its_turn(tables: Tables) -> None:
    tries = tables.course.gradebook.tries
    first = handed_in(tables, "ada", solution(tables))
    others = [first, *waiting(tables, AT_ONCE, first)]
    other = make_assignment(tables.course.course.root, "other-hw")
    one = tables.browser("ben")
    path = "/c/course/a/other-hw/hand-in"
    files = [("files", ("hw.ipynb", solution(tables).replace(b"warm-up", b"other-hw")))]
    assert one.post(path, {"key": "k", "sure": "1"}, files=files).status_code == 303
    (late,) = tries.of("ben")
    assert late.assignment == other.name and late.id > others[-1].id
    with Running(tables):
        with batch_lock(tables.course.course.assignment("warm-up")):
            until(lambda: tries.some([late.id])[0].state.ended)
            held = tries.some([t.id for t in others])
            assert {t.state for t in held} <= {TryState.WAITING, TryState.RUNNING}
        until(lambda: tries.some([first.id])[0].state.ended)
    assert tries.some([late.id])[0].state is TryState.JUDGED
    assert tries.some([first.id])[0].state is TryState.JUDGED
    assert tries.some([first.id])[0].starts == 1


def test_a_batch_that_waits_has_its_turn_though_the_class_hands_in_all_the_time(
    tables: Tables,
) -> None:
    tries = tables.course.gradebook.tries
    chosen = tables.course.course.assignment("warm-up")
    first = handed_in(tables, "ada", solution(tables))
    others = waiting(tables, 40, first)
    told: list[str] = []
    with Running(tables):
        until(lambda: tries.some([first.id])[0].state is TryState.RUNNING)
        with batch_lock(chosen, on_wait=told.append):
            states = {t.state for t in tries.some([t.id for t in others])}
            assert TryState.WAITING in states
        until(lambda: all(t.state.ended for t in tries.some([t.id for t in others])))
    assert {t.state for t in tries.some([first.id, *(t.id for t in others)])} <= {
        TryState.JUDGED,
        TryState.SUPERSEDED,
    }


class Judge:
    """Stands for the slots: judges nothing, notes what it is given, and may be busy or hang."""

    sandbox = ""

    def __init__(self, begin: Callable[[DeskTry], object]) -> None:
        self.given: list[DeskTry] = []
        self._begin = begin

    def submit(self, one: DeskTry) -> None:
        self.given.append(one)
        self._begin(one)

    def rest(self) -> None:
        pass

    def close(self) -> None:
        pass


def engine_with(tables: Tables, judge: Judge, **more: Any) -> Engine:
    engine = Engine(tables.course.course, tables.course.gradebook, "e1", **more)
    engine._judging = cast(Judging, judge)
    return engine


def test_a_busy_assignment_is_asked_for_once_in_a_while_and_is_no_start(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(one: DeskTry) -> None:
        if one.assignment == "warm-up":
            raise BusyError("another batch grades this assignment now")

    first = handed_in(tables, "ada", solution(tables))
    theirs = [first, *waiting(tables, AT_ONCE + 3, first)]
    (later,) = waiting(tables, 1, like(first, "other-hw"))
    judge = Judge(busy)
    engine = engine_with(tables, judge)
    monkeypatch.setattr(engine._stop, "wait", lambda s: pytest.fail(f"it slept {s} s"))
    for _ in range(3):
        engine._step()
    assert [one.assignment for one in judge.given] == ["warm-up", "other-hw"]
    tries = tables.course.gradebook.tries
    found = tries.some([one.id for one in theirs])
    assert {(one.state, one.starts, one.claimed_by) for one in found} == {(TryState.WAITING, 0, "")}
    assert tries.some([later.id])[0].state is TryState.RUNNING
    (here,) = tables.course.gradebook.engines.at_work(now=tables.now)
    assert here.trouble == "warm-up: another batch grades this assignment now"
    engine._busy["warm-up"] = 0.0
    engine._step()
    assert [one.id for one in judge.given[2:]] == [first.id]


def test_a_slow_assignment_leaves_the_others_their_places(tables: Tables) -> None:
    judge = Judge(lambda one: None)  # judges none of them: as slow as can be
    engine = engine_with(tables, judge)
    first = handed_in(tables, "ada", solution(tables))
    waiting(tables, 2 * AT_ONCE, first)
    names = [f"hw{number}" for number in range(MAX_POOLS + 1)]
    for name in names:
        make_assignment(tables.course.course.root, name)
        waiting(tables, 2, like(first, name))
    for _ in range(10):
        engine._step()
    given = Counter(one.assignment for one in judge.given)
    # No more assignments at once than may have slots; but for those of one look at the queue.
    assert given == {"warm-up": AT_ONCE, **dict.fromkeys(names, 2)}
    make_assignment(tables.course.course.root, "late")
    (late,) = waiting(tables, 1, like(first, "late"))
    engine._step()
    assert tables.course.gradebook.tries.some([late.id])[0].state is TryState.WAITING
    engine._claimed = {n: one for n, one in engine._claimed.items() if one.assignment == "warm-up"}
    engine._step()
    assert judge.given[-1].id == late.id


def like(one: DeskTry, assignment: str) -> DeskTry:
    values = {name: getattr(one, name) for name in DeskTry.__dataclass_fields__}
    return DeskTry(**{**values, "assignment": assignment})


def test_without_a_machine_an_assignment_is_busy_and_not_held(tables: Tables) -> None:
    def none(*_: object, **__: object) -> None:
        raise InfrastructureError("no machine has come to the cluster")

    one = handed_in(tables, "ada", solution(tables))
    course = tables.course
    judging = Judging(
        course.course,
        course.gradebook,
        sandbox="local",
        isolation="auto",
        slots=1,
        machines=cast(Cluster, SimpleNamespace(choose=none)),
        tell=lambda news: None,
        done=lambda one, judged: None,
    )
    with pytest.raises(BusyError, match="no machine"):
        judging.submit(one)
    with batch_lock(course.course.assignment("warm-up")):
        pass
    with (
        batch_lock(course.course.assignment("warm-up")),
        pytest.raises(BusyError, match="another batch"),
    ):
        judging.submit(one)


def test_the_tries_of_an_engine_that_hangs_are_free_again(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "LEASE", LEASE / 300)
    monkeypatch.setattr(work, "HUNG_S", 0.5)
    one = handed_in(tables, "ada", solution(tables))
    tries = tables.course.gradebook.tries
    claims = tables.course.gradebook.claims
    goes_on = threading.Event()
    judge = Judge(lambda one: goes_on.wait(LIMIT_S))
    engine = engine_with(tables, judge)
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        until(lambda: judge.given)
        until(lambda: claims.any_free(now=work._now()), "a free try")
        (found,) = claims.take("e2", limit=1, now=work._now(), lease=LEASE)
        assert found.id == one.id
    finally:
        engine.stop()
        goes_on.set()
        thread.join(LIMIT_S)
    assert tries.some([one.id])[0].claimed_by == "e2"


@pytest.mark.slow
def test_an_engine_that_hangs_is_started_again_and_the_others_are_judged(tables: Tables) -> None:
    tries, content = tables.course.gradebook.tries, solution(tables)
    hangs = handed_in(tables, HANGS_AT, content)
    others = [handed_in(tables, student, content).id for student in ("ben", "cem")]
    root, here = str(tables.course.course.root), tables.browser("ines")
    supervisor = Supervisor("course", [root], module="tests.helpers.hanging_engine", silent_s=10)
    supervisor.start()
    try:
        until(lambda: supervisor.starts > 1, "another start")
        until(lambda: HUNG in here.get("/healthz").text)
        assert HUNG in here.get("/c/course/queue").text
        until(lambda: all(one.state.ended for one in tries.some([hangs.id, *others])))
        until(lambda: HUNG not in here.get("/healthz").text)
    finally:
        supervisor.stop()
    assert supervisor.starts > MAX_STARTS
    assert tries.some([hangs.id])[0].problem == ENDED_ENGINES
    assert {one.state for one in tries.some(others)} == {TryState.JUDGED}


def test_it_is_the_loop_that_says_that_an_engine_goes_on(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "LEASE", LEASE / 300)
    monkeypatch.setattr(work, "SLOW_S", 0.5)
    monkeypatch.setattr(work, "BEAT_S", 0.0)
    handed_in(tables, "ada", solution(tables))
    said, goes_on = [0], threading.Event()

    def alive() -> None:
        said[0] += 1

    judge = Judge(lambda one: goes_on.wait(LIMIT_S))
    engine = engine_with(tables, judge, alive=alive)
    thread = threading.Thread(target=engine.run)
    thread.start()
    here = tables.browser("ines")
    try:
        until(lambda: judge.given)
        count = said[0]
        until(lambda: "has not gone on" in here.get("/healthz").text)
        assert "has not gone on" in here.get("/c/course/queue").text
        assert said[0] == count > 0  # whatever the thread beside it does
        died = threading.Event()
        monkeypatch.setattr(engine, "_die", died.set)
        monkeypatch.setattr(work, "_ALONE_S", 0.5)
        assert died.wait(LIMIT_S)
        goes_on.set()
        until(lambda: said[0] > count)
        until(lambda: "has not gone on" not in here.get("/healthz").text)
    finally:
        engine.stop()
        goes_on.set()
        thread.join(LIMIT_S)


@pytest.mark.slow
def test_engines_that_are_killed_lose_nothing_and_judge_nothing_twice(
    tables: Tables, tmp_path: Path
) -> None:
    tries = tables.course.gradebook.tries
    content = solution(tables)
    wanted = [handed_in(tables, s, content).id for s in ("ada", "ben", "cem")]
    root = str(tables.course.course.root)
    supervisor = Supervisor("course", [root, "--sandbox", "local", "--slots", "1"])
    supervisor.start()
    try:
        for _ in range(3):
            until(lambda: supervisor.pid is not None)
            until(lambda: any(t.state is TryState.RUNNING for t in tries.some(wanted)))
            pid = supervisor.pid
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: supervisor.pid not in (None, pid))  # type: ignore[misc]
            for one in tries.some(wanted):
                if one.state is TryState.FAILED:
                    tables.course.gradebook.queue.again([one.id])
            if all(t.state is TryState.JUDGED for t in tries.some(wanted)):
                break
        until(lambda: all(t.state.ended for t in tries.some(wanted)))
    finally:
        supervisor.stop()
    assert supervisor.starts >= 2
    found = tries.some(wanted)
    assert {t.state for t in found} == {TryState.JUDGED}
    history = tables.course.gradebook.history("warm-up")
    assert len(history) == len(wanted)
    assert len({t.verdict for t in found}) == len(wanted)


@pytest.mark.slow
def test_the_machines_of_a_cluster_judge_what_is_handed_in(tables: Tables) -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    tries = tables.course.gradebook.tries
    with open_cluster("local:1") as machines:
        running = Running(tables, machines)
        with running:
            one = handed_in(tables, "ada", solution(tables))
            until(lambda: tries.some([one.id])[0].state.ended)
            later = handed_in(tables, "ben", solution(tables))
            until(lambda: tries.some([later.id])[0].state.ended)
    for found in tries.some([one.id, later.id]):
        assert found.state is TryState.JUDGED and found.verdict is not None, found.problem
        entry = tables.course.gradebook.entry(found.verdict)
        assert entry is not None and entry.verdict.points == 8
    assert {news.number for news in running.told} == {one.id, later.id}

"""The engine: from a try in the queue to a verdict in the record, whatever dies on the way."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from grader.desk.engine.supervisor import Supervisor
from grader.desk.engine.talk import CellNews
from grader.desk.engine.work import LEASE, MAX_STARTS, Engine
from grader.gradebook.tries import DeskTry, TryState
from grader.grading.cluster import Cluster, open_cluster
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.desk.conftest import Tables
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
    result = tables.browser("ada").get(f"/c/course/t/{one.id}/result")
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


def test_a_try_that_has_ended_every_engine_is_given_up(tables: Tables) -> None:
    one = handed_in(tables, "ada", solution(tables))
    tries = tables.course.gradebook.tries
    for _ in range(MAX_STARTS):
        tries.claim("e1", limit=1, now=tables.now, lease=LEASE)
        tries.release("e1")
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
                    tries.again([one.id])
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

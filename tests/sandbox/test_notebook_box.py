"""A notebook outlives what its cells and the suite's calls do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, nan

import pytest

from grader.errors import BoxCrashed, BoxTimeout
from grader.sandbox import conversation, notebook_box
from grader.sandbox.base import CellResult, Session, Slot, SlotOptions
from grader.sandbox.notebook_box import (
    CELLS_OF_OUTPUT,
    NotebookBox,
    NotebookRun,
    RunLimits,
)
from grader.wire import messages as m
from grader.wire import values
from tests.helpers.light_boxes import LIGHT
from tests.helpers.waiting import Clock
from tests.sandbox.places import slot_maker

pytestmark = pytest.mark.local_box

LIMITS = RunLimits(cell_s=60.0, call_s=60.0)
SHORT = RunLimits(cell_s=1.0, call_s=60.0)
DEAF = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
CRASH = "import os\nos._exit(3)"
Open = Callable[..., NotebookBox]


@pytest.fixture(scope="module")
def slot() -> Iterator[Slot]:
    slot = slot_maker("local-warm")(SlotOptions(preloads=LIGHT))
    slot.start()
    yield slot
    slot.stop()


@pytest.fixture
def opened(slot: Slot) -> Iterator[Open]:
    boxes: list[NotebookBox] = []

    def make(*cells: str, limits: RunLimits = LIMITS, seed: int = 7) -> NotebookBox:
        boxes.append(NotebookBox(slot, cells, limits=limits, seed=seed))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what never answers: the judge's own patience, and not that of this room's tests."""
    monkeypatch.setattr(conversation, "GRACE_S", 0.5)


def statuses(run: NotebookRun) -> list[str]:
    return [cell.status for cell in run.cells]


def fetch(box: NotebookBox, name: str) -> object:
    reply, blobs = box.request(m.Fetch(name=name, timeout_s=60))
    return values.decode(reply.value, blobs) if isinstance(reply, m.Value) else reply


def call(box: NotebookBox, name: str) -> object:
    ref, _ = box.request(m.Fetch(name=name, timeout_s=60))
    assert isinstance(ref, m.Value)
    reply, blobs = box.request(m.Act(verb="call", target=ref.value, timeout_s=0.5))
    return values.decode(reply.value, blobs) if isinstance(reply, m.Value) else reply


def test_cells_run_in_order_and_the_names_stay(opened: Open) -> None:
    box = opened("x = 1", "x += 1\nprint(x)", "", "  \n", "y = x * 10")
    run = box.run()
    assert statuses(run) == ["ok"] * 5
    assert [c.index for c in run.cells] == [1, 2, 3, 4, 5]
    assert run.cells[1].outputs[0]["text"] == "2\n"
    assert run.cells[2].outputs == []
    assert (fetch(box, "y"), box.generation, run.notes) == (20, 0, [])


def test_a_notebook_without_cells_is_a_run_without_results(opened: Open) -> None:
    box = opened()
    assert box.run().cells == []
    assert isinstance(fetch(box, "x"), m.Missing)


def test_what_all_cells_put_out_is_bounded_and_they_run_all_the_same(opened: Open) -> None:
    limits = RunLimits(cell_s=60.0, output_bytes=20_000)
    box = opened(*["print('x' * 15_000)"] * 14, "print('late')\ny = 3", limits=limits)
    run = box.run()
    assert statuses(run) == ["ok"] * 15
    kept = [sum(len(o["text"]) for o in cell.outputs) for cell in run.cells]
    assert kept[0] == 15_001 and kept[-1] == 0
    assert 100_000 < sum(kept) <= CELLS_OF_OUTPUT * 20_000
    (note,) = run.notes
    assert "kept of all its cells; in cell 11 they ended" in note
    assert fetch(box, "y") == 3


def test_the_outputs_of_all_cells_are_counted(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_box, "MAX_OUTPUTS", 7)
    box = opened(*["for n in range(3): display(n)"] * 3, "x = 4")
    run = box.run()
    assert [len(cell.outputs) for cell in run.cells] == [3, 3, 1, 0]
    assert [note for note in run.notes if "in cell 3 they ended" in note] == run.notes != []
    assert fetch(box, "x") == 4


def test_an_error_does_not_keep_the_other_cells_from_running(opened: Open) -> None:
    box = opened("x = 1", "1/0", "y = 2")
    run = box.run()
    assert statuses(run) == ["ok", "error", "ok"]
    assert run.notes == []
    assert fetch(box, "y") == 2


def test_an_error_stops_the_notebook_where_the_assignment_says_so(opened: Open) -> None:
    limits = RunLimits(cell_s=60.0, call_s=60.0, on_error="stop")
    box = opened("x = 1", "1/0", "y = 2", limits=limits)
    run = box.run()
    assert run.notes == ["cell 2 raised an error; the cells after it were not run"]
    assert fetch(box, "x") == 1
    assert isinstance(fetch(box, "y"), m.Missing)


def test_an_endless_loop_is_stopped_and_costs_no_restart(opened: Open) -> None:
    box = opened("x = 1", "z = 5\nwhile True: pass", "y = x + z", limits=SHORT)
    run = box.run()
    assert statuses(run) == ["ok", "timeout", "ok"]
    assert run.notes == ["cell 2 ran longer than 1 s and was stopped"]
    assert (fetch(box, "y"), box.generation, box.restarts) == (6, 0, 0)


@pytest.mark.usefixtures("impatient")
def test_a_loop_that_cannot_be_interrupted_costs_its_own_cell(opened: Open) -> None:
    cells = ("x = 1", "print('before', flush=True)\n" + DEAF, "y = x + 1")
    box = opened(*cells, limits=SHORT)
    run = box.run()
    assert statuses(run) == ["ok", "killed", "ok"]
    assert run.cells[1].outputs[0]["text"] == "before\n"
    assert run.notes == [
        "cell 2 ran longer than 1 s and was stopped; the other cells were run without it"
    ]
    assert (fetch(box, "y"), box.generation, box.restarts) == (2, 1, 1)


def test_a_crash_in_a_cell_costs_its_own_cell(opened: Open) -> None:
    box = opened("x = 1", "display('shown')\n" + CRASH, "y = x + 1")
    run = box.run()
    assert statuses(run) == ["ok", "killed", "ok"]
    assert run.cells[1].outputs[0]["data"]["text/plain"] == "'shown'"
    [note] = run.notes
    assert note.startswith("cell 2 ended its own process")
    assert note.endswith("; the other cells were run without it")
    assert (fetch(box, "x"), fetch(box, "y"), box.generation) == (1, 2, 1)


def test_a_crash_in_the_last_cell_leaves_the_names_for_the_suite(opened: Open) -> None:
    box = opened("x = 1", CRASH)
    box.run()
    assert fetch(box, "x") == 1


def test_after_a_call_that_crashed_the_next_request_finds_the_names_again(opened: Open) -> None:
    box = opened("x = 1", "x += 1", "def crash():\n    import os\n    os._exit(1)")
    box.run()
    with pytest.raises(BoxCrashed):
        call(box, "crash")
    assert box.generation == 1
    assert fetch(box, "x") == 2
    with pytest.raises(BoxCrashed):
        call(box, "crash")
    assert (fetch(box, "x"), box.generation, box.restarts) == (2, 2, 2)


def test_a_call_that_is_only_slow_keeps_the_session(opened: Open) -> None:
    box = opened("n = 0\ndef slow():\n    global n\n    n += 1\n    while True: pass")
    box.run()
    assert isinstance(call(box, "slow"), m.OutOfTime)
    assert (fetch(box, "n"), box.generation) == (1, 0)


@pytest.mark.usefixtures("impatient")
def test_a_call_that_cannot_be_interrupted_is_a_timeout_and_then_the_names_are_back(
    opened: Open,
) -> None:
    box = opened("n = 0\ndef deaf():\n    global n\n    n = 9\n    " + DEAF.replace("\n", "\n    "))
    box.run()
    with pytest.raises(BoxTimeout):
        call(box, "deaf")
    assert (fetch(box, "n"), box.generation) == (0, 1)


def test_a_restarted_notebook_draws_the_same_random_numbers(opened: Open) -> None:
    cells = (
        "import random, numpy, torch\nold = (random.random(), numpy.random.rand(), torch.rand(1))",
        "def crash():\n    import os\n    os._exit(1)",
    )
    box = opened(*cells, seed=11)
    box.run()
    before = fetch(box, "old")
    with pytest.raises(BoxCrashed):
        call(box, "crash")
    assert fetch(box, "old") == before
    other = opened(*cells, seed=12)
    other.run()
    assert fetch(other, "old") != before


def test_a_cell_that_was_stopped_is_not_run_again_in_a_new_session(opened: Open) -> None:
    cells = ("x = 1", "y = 1\nwhile True: pass", "def crash():\n    import os\n    os._exit(1)")
    box = opened(*cells, limits=SHORT)
    box.run()
    assert fetch(box, "y") == 1
    with pytest.raises(BoxCrashed):
        call(box, "crash")
    assert fetch(box, "x") == 1
    assert isinstance(fetch(box, "y"), m.Missing)


def test_a_notebook_that_ends_its_session_again_and_again_is_given_up(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_box, "MAX_RESTARTS", 2)  # each takes a new slot
    box = opened("x = 1", *[CRASH] * 4)
    run = box.run()
    assert statuses(run) == ["ok", *["killed"] * 4]
    assert box.restarts == 2
    assert run.notes[-1] == "cell 5 was not run: the notebook was stopped 2 times already"
    with pytest.raises(BoxTimeout, match="stopped 2 times already"):
        fetch(box, "x")


def test_the_time_of_a_notebook_is_limited_as_a_whole(opened: Open) -> None:
    limits = RunLimits(notebook_s=3, cell_s=2.9, call_s=60.0)
    nap = "import time\ntime.sleep({})"
    box = opened("x = 1", nap.format(0.2), nap.format(600), "y = 1", limits=limits)
    run = box.run()
    assert statuses(run) == ["ok", "ok", "timeout", "killed"]
    assert run.notes[-1] == (
        "the notebook ran longer than 3 s; the cells from cell 4 on were not run"
    )
    assert run.cells[3].error == "not run: the notebook's time was up"
    assert fetch(box, "x") == 1
    assert isinstance(fetch(box, "y"), m.Missing)


@pytest.mark.parametrize(
    ("duration", "waited", "wall", "counted"),
    [
        pytest.param(8.0, 0.0, 8.1, 8.0, id="it had its processor"),
        pytest.param(8.0, 3.0, 8.1, 5.0, id="it waited for one"),
        pytest.param(1.0, 0.0, 1.6, 1.0, id="the judge waited for one"),
        pytest.param(8.0, 8.0, 8.0, 4.0, id="it had none at all, as it says"),
        pytest.param(0.0, 0.0, 8.0, 4.0, id="it lies about how long it took"),
        pytest.param(8.0, -100.0, 8.0, 8.0, id="it says less than nothing"),
        pytest.param(nan, 0.0, 8.0, 8.0, id="it says no number"),
        pytest.param(8.0, nan, 8.0, 8.0, id="nor here"),
        pytest.param(inf, inf, 8.0, 8.0, id="nor in both"),
    ],
)
def test_time_without_a_processor_takes_nothing_from_a_notebook(
    duration: float, waited: float, wall: float, counted: float
) -> None:
    cell = CellResult(index=1, status="ok", duration_s=duration, waited_s=waited)
    assert notebook_box.ran_s_of(cell, wall) == counted


def test_a_cell_says_for_how_long_it_had_no_processor(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[float] = []
    plain = notebook_box.ran_s_of
    monkeypatch.setattr(
        notebook_box,
        "ran_s_of",
        lambda cell, wall: found.append(cell.waited_s) or plain(cell, wall),
    )
    # What the kernel says of its main thread, as on a machine where it waits half of its time.
    fake = "from grader.box import shell\nfrom itertools import count\n"
    fake += "n = count()\nshell.waited_s = lambda: next(n) / 2"
    opened(fake, "x = 1", "y = 2").run()
    assert found[1:] == [0.5, 0.5]


def test_what_a_notebook_does_not_compute_takes_nothing_from_its_time(
    opened: Open, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_slowly(**options: object) -> Session:
        clock.skip(800)
        return prompt(**options)

    clock = Clock()
    monkeypatch.setattr(notebook_box, "time", clock)
    prompt: Callable[..., Session] = slot.open
    monkeypatch.setattr(slot, "open", open_slowly)
    limits = RunLimits(notebook_s=120, cell_s=60.0, call_s=60.0)
    box = opened("w = 1", CRASH, "x = 1", limits=limits)
    run = box.run()
    assert statuses(run) == ["ok", "killed", "ok"]
    assert run.duration_s < 120
    assert box.reviving_s > 800
    assert fetch(box, "x") == 1


def test_a_cell_that_prints_without_end_is_stopped_and_said_so(opened: Open) -> None:
    limits = RunLimits(cell_s=60.0, call_s=60.0, output_bytes=50_000)
    run = opened("while True: print('x' * 100)", "print('on')", limits=limits).run()
    assert statuses(run) == ["output_limit", "ok"]
    assert run.notes == ["cell 1 put out more than it may and was stopped"]


def test_what_was_used_is_known_after_the_notebook_is_closed(opened: Open) -> None:
    box = opened("import torch\nkept = torch.ones(10_000_000)\nsum(range(3_000_000))")
    box.run()
    box.close()
    assert box.cpu_s > 0.01
    assert box.peak_memory_bytes > 40_000_000
    box.close()

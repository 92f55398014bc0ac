"""Frames that a notebook forges decide nothing, and cost it alone: each wall, and what is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grader.errors import BoxCrashed, BoxFailure, BoxOutputLimit, InfrastructureError
from grader.intake.notebook import MAX_SOURCE_BYTES
from grader.sandbox import conversation, stream
from grader.sandbox.link import Frame, FrameLink
from grader.sandbox.notebook_box import FORGER, NotebookBox, RunLimits
from grader.sandbox.stream import StreamSession
from grader.wire import frames
from grader.wire import messages as m
from tests.sandbox.hostile_child import FORGED, HONEST, LIMITS, PATIENT_S, ScriptedSlot, script

TOO_LARGE_THEN_FRAMES = [
    ["head", (1 << 32) - 1, 0],
    ["frame", frames.STATUS, "own", "ended"],
    ["frame", frames.STATUS, "next", "started"],
    ["frame", frames.DATA, "next", "value"],
]
NEXT_IS_DECIDED = [["together", TOO_LARGE_THEN_FRAMES]]


def after_forged_frames() -> m.Reply:
    """What a session is told to say and is believed to have said, after one that forged frames."""
    slot = ScriptedSlot()
    try:
        first = slot.open(seed=1, limits=LIMITS)
        with pytest.raises(BoxOutputLimit):
            first.request(m.Fetch(name=script(NEXT_IS_DECIDED), timeout_s=PATIENT_S))
        second = slot.open(seed=2, limits=LIMITS)
        return second.request(m.Fetch(name=script(HONEST), timeout_s=PATIENT_S))[0]
    finally:
        slot.remove()


def test_frames_forged_behind_a_message_that_is_too_large_decide_nothing() -> None:
    assert after_forged_frames() == m.Value(value=[2, "honest"])


def test_the_same_decides_the_next_session_where_the_walls_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget_what_is_left(monkeypatch)
    keep_the_slot(monkeypatch)
    count_the_sessions(monkeypatch)
    assert after_forged_frames() == m.Value(value=[1, FORGED])


WALLS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {}


def wall(take_away: Callable[[pytest.MonkeyPatch], None]) -> Callable[[pytest.MonkeyPatch], None]:
    WALLS[take_away.__name__] = take_away
    return take_away


@wall
def forget_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = FrameLink.next_frame

    def careless(self: FrameLink, deadline: float) -> Frame:
        self._frame.left = 0
        return careful(self, deadline)

    monkeypatch.setattr(FrameLink, "next_frame", careless)


@wall
def keep_the_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptedSlot, "ended", lambda self, *, orderly: None)


@wall
def count_the_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(1, 1_000))
    monkeypatch.setattr("grader.sandbox.stream.secrets.randbelow", lambda below: next(numbers))


@pytest.mark.parametrize("standing", sorted(WALLS))
def test_each_wall_alone_holds_it(monkeypatch: pytest.MonkeyPatch, standing: str) -> None:
    for name, take_away in WALLS.items():
        if name != standing:
            take_away(monkeypatch)
    try:
        assert after_forged_frames() == m.Value(value=[2, "honest"])
    except InfrastructureError as error:  # tried again in a fresh slot, and never a mark
        assert "a frame of another session" in str(error)


# -- what it costs


class Counted(ScriptedSlot):
    """Takes note of what the judge orders."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[str] = []

    def start(self) -> None:
        fresh = self._link is None
        super().start()
        link = self._link
        if fresh and link is not None:
            order = link.control

            def noted(control: m.Control, deadline: float) -> None:
                self.orders.append(type(control).__name__)
                order(control, deadline)

            link.control = noted  # type: ignore[method-assign]


@pytest.fixture
def slot() -> Iterator[Counted]:
    made = Counted()
    yield made
    made.remove()


GARBAGE = {
    "no message": ["raw", "00000001" + "00000000" + "c1"],
    "too large": ["raw", "ff" * 100],
    "a frame that is to be waited for": ["raw", "ff" * 8 + "02" + "00" * 8 + "00100000"],
    "another message than was asked for": ["message", "done"],
    "forged frames": ["frame", frames.STATUS, "own", "ended"],
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_killed_at_once_and_its_notebook_not_run_again(slot: Counted, what: str) -> None:
    limits = RunLimits(call_s=PATIENT_S, cell_s=PATIENT_S)
    box = NotebookBox(slot, [script(HONEST)], limits=limits, seed=1)
    box.run()
    assert slot.orders == ["Spawn"]
    garbage = m.Fetch(name=script([GARBAGE[what], ["stall"]]), timeout_s=PATIENT_S)
    with pytest.raises(BoxFailure):
        box.request(garbage)
    assert slot.orders == ["Spawn", "Kill"]
    for _ in range(3):
        with pytest.raises(BoxCrashed, match="it is not run again"):
            box.request(garbage)
    box.close()
    assert (slot.orders, slot.connections, box.restarts) == (["Spawn", "Kill"], 1, 0)


def test_a_call_that_floods_the_judge_with_outputs_is_stopped_by_their_size(slot: Counted) -> None:
    """Not by the limit of a reply, hundreds of megabytes that would take minutes."""
    session = slot.open(seed=1, limits=m.Limits(memory_bytes=2 << 30, processes=512))
    assert isinstance(session, StreamSession)
    read = 0
    receive = session._talk.receive

    def counted(deadline: float, told_s: float) -> Any:
        nonlocal read
        read += 1
        return receive(deadline, told_s)

    session._talk.receive = counted  # type: ignore[method-assign]
    flood = m.Fetch(name=script([["flood", "message", "output"]]), timeout_s=PATIENT_S)
    with pytest.raises(BoxOutputLimit, match="put out more"):
        session.request(flood)
    assert read < 2 * conversation.OUTPUT_SLACK / 80
    assert slot.orders == ["Spawn", "Kill"]


def test_messages_that_keep_coming_do_not_put_off_a_deadline(slot: Counted) -> None:
    session = slot.open(seed=1, limits=LIMITS)
    assert isinstance(session, StreamSession)
    session._talk.send(m.Fetch(name=script([["flood", "message", "output"]]), timeout_s=60))
    session._talk.allow(1 << 40)
    with pytest.raises(conversation.ChannelBroken) as broken:
        session._talk.receive(time.monotonic() - 0.001, 60)
    assert broken.value.trouble.kind == "late"


def test_garbage_in_a_cell_ends_the_notebook_there_and_then(slot: Counted) -> None:
    cells = [script(HONEST), script([["raw", "ff" * 40], ["stall"]]), script(HONEST)]
    box = NotebookBox(slot, cells, limits=RunLimits(cell_s=PATIENT_S), seed=1)
    run = box.run()
    assert [cell.status for cell in run.cells] == ["ok", "killed", "killed"]
    assert run.notes == [f"cell 2 {run.cells[1].error}; {FORGER}"]
    assert run.cells[2].error == FORGER
    assert (slot.orders, slot.connections) == (["Spawn", "Kill"], 1)


def test_the_longest_cell_that_may_be_handed_in_is_run(slot: Counted) -> None:
    """With what a message says of it; else it would end its worker, as an error of the suite."""
    cell = script(HONEST).ljust(MAX_SOURCE_BYTES)
    box = NotebookBox(slot, [cell], limits=RunLimits(cell_s=PATIENT_S), seed=1)
    assert [cell.status for cell in box.run().cells] == ["ok"]
    box.close()


def test_notebooks_that_close_as_they_are_told_share_a_slot(slot: Counted) -> None:
    for seed in range(1, 5):
        box = NotebookBox(slot, [script(HONEST)], limits=RunLimits(), seed=seed)
        assert [cell.status for cell in box.run().cells] == ["ok"]
        box.close()
    assert (slot.orders, slot.connections) == (["Spawn"] * 4, 1)


@pytest.mark.parametrize("end", [["exit", 0], ["exit", 3], ["close"]])
def test_a_notebook_that_ends_itself_is_run_again_in_another_slot(
    slot: Counted, end: list[Any]
) -> None:
    box = NotebookBox(slot, [script(HONEST)], limits=RunLimits(call_s=PATIENT_S), seed=1)
    box.run()
    with pytest.raises(BoxCrashed):
        box.request(m.Fetch(name=script([end, ["stall"]]), timeout_s=PATIENT_S))
    honest = m.Fetch(name=script(HONEST), timeout_s=PATIENT_S)
    assert box.request(honest)[0] == m.Value(value=[1, "honest"])
    assert (slot.connections, box.restarts) == (2, 1)
    box.close()


def test_a_session_that_does_not_close_is_killed_and_its_slot_with_it(
    slot: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CLOSE_S", 0.2)
    session = slot.open(seed=1, limits=LIMITS)
    session.request(m.Fetch(name=script([["at close", [["stall"]]], ["reply"]]), timeout_s=60))
    assert session.close().cause == "killed"
    assert slot.orders == ["Spawn", "Kill"]
    assert slot.hello is None


def test_a_session_that_is_refused_leaves_no_slot(slot: Counted) -> None:
    limits = m.Limits(memory_bytes=1 << 30, open_files=1)
    with pytest.raises(InfrastructureError, match="the jail could not be closed"):
        slot.open(seed=1, limits=limits)
    assert slot.hello is None
    assert slot.open(seed=2, limits=LIMITS).close().cause == "closed"


def test_the_number_of_a_session_is_drawn_and_none_is_zero(slot: Counted) -> None:
    numbers = []
    for seed in (1, 2, 3):
        session = slot.open(seed=seed, limits=LIMITS)
        assert isinstance(session, StreamSession)
        numbers.append(session._number)
        session.close()
    assert slot.connections == 1
    assert len(set(numbers)) == 3
    assert min(numbers) > 1 << 32  # of 64 bits: below it is one in four thousand million

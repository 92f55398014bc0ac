"""Notebooks that write what they like into their channel, graded by the machines of a cluster."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.api import grade
from grader.grading.verdict import Outcome
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HASTY_SPEC
from tests.sandbox.hostile_child import Child
from tests.sandbox.test_hostile_child import scripts

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

MANY = os.environ.get("GRADER_FUZZ") == "nightly"
_NUMBER = 0x1122334455667788
"""Stands for the session's own number, which the notebook knows and the test does not."""

NOTEBOOK = """
import gc, os, time

NUMBER = next(o.number for o in gc.get_objects() if type(o).__name__ == "BoxSession")


def written(text):
    data = bytes.fromhex(text)
    for ahead in (0, 1):
        made = ({marker} + ahead).to_bytes(8, "big")
        data = data.replace(made, (NUMBER + ahead).to_bytes(8, "big"))
    try:
        os.write(3, data)
    except OSError:
        os._exit(0)


def do(steps):
    for what, given in steps:
        if what == "write":
            written(given)
        elif what == "sleep":
            time.sleep(given)
        elif what == "exit":
            os._exit(given)
        elif what == "stall":
            time.sleep(600)
        elif what == "close":
            os.close(3)
        elif what == "flood":
            while True:
                written(given * 64)
        elif what == "forever":
            while True:
                do(given)
        elif what == "fork" and os.fork() == 0:
            do(given)
            os._exit(0)


STEPS = {steps!r}
if {at_once}:
    do(STEPS)
"""
IN_A_CALL = """
def late(x):
    do(STEPS)
    return x


get_ipython().events.register(
    "post_run_cell", lambda result: get_ipython().user_ns.update(softmax=late)
)
"""


def flat(steps: list[Any]) -> list[Any]:
    """The steps of a script with their bytes made, for a notebook that knows no frames."""
    writer = Child.__new__(Child)
    writer._seed, writer._number, writer._before = 1, _NUMBER, []
    found: list[Any] = []
    for what, *rest in steps:
        match what:
            case "reply":
                found.append(["write", writer._reply(False).hex()])
            case "sleep" | "exit":
                found.append([what, rest[0]])
            case "stall" | "close":
                found.append([what, None])
            case "flood":
                found.append([what, writer._bytes(rest).hex()])
            case "fork" | "forever" | "at close":
                found.append(["fork" if what == "at close" else what, flat(rest[0])])
            case _:
                found.append(["write", writer._bytes([what, *rest]).hex()])
    return found


def hostile(steps: list[Any], at_once: bool) -> str:
    """A cell that does the steps, at once or when it is asked for a softmax."""
    cell = NOTEBOOK.format(marker=_NUMBER, steps=flat(steps), at_once=at_once)
    return cell if at_once else cell + IN_A_CALL


@pytest.mark.slow
@pytest.mark.local_box
@pytest.mark.timeout(3_600)
@given(
    class_=st.lists(st.tuples(scripts, st.booleans()), min_size=5, max_size=5),
)
@settings(max_examples=20 if MANY else 2, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_cluster_gives_honest_work_its_marks_whatever_came_before_it_in_its_slot(
    class_: list[tuple[Any, bool]],
) -> None:
    with tempfile.TemporaryDirectory(prefix="grader-cluster-") as folder:
        classroom = Classroom(Path(folder) / "course")
        classroom.change(spec=HASTY_SPEC)
        for number, (steps, at_once) in enumerate(class_):
            classroom.hand_in(f"{number}a-hostile", hostile(steps, at_once))
            classroom.hand_in(f"{number}b-honest")
        graded = grade(
            classroom.course,
            "warm-up",
            [classroom.submissions],
            sandbox="local",
            isolation="warm",
            seed=7,
            cluster="local:1",
        )
    found = {v.student: v for v in graded.verdicts}
    assert len(found) == 2 * len(class_)
    assert {v.outcome for v in found.values()} == {Outcome.GRADED}
    assert {v.points for s, v in found.items() if s.endswith("honest")} == {8}
    assert {str(v.notes) for s, v in found.items() if s.endswith("honest")} == {"()"}
    assert all(v.points <= 8 for v in found.values())

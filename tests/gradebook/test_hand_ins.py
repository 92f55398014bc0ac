"""Times of hand-ins that are learnt after the verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest

from grader.course.components import Component, Item
from grader.course.course_file import CourseFile
from grader.gradebook.hand_ins import HandInTime, Key, hand_in_of
from grader.gradebook.machine_history import machine_history
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from tests.helpers.verdicts import DUE, graded

ASSIGNMENT = "mlp-backprop"
LATE = DUE + dt.timedelta(minutes=31)


@pytest.fixture
def gradebook(url: str) -> Iterator[Gradebook]:
    with Gradebook(url) as book:
        yield book


def undated(student: str, attempt: int = 1) -> Verdict:
    verdict = graded(student, attempt=attempt)
    submission = msgspec.structs.replace(verdict.submission, submitted_at=None)
    return msgspec.structs.replace(verdict, submission=submission)


def record(gradebook: Gradebook, *verdicts: Verdict) -> dict[Key, dt.datetime | None]:
    batch = gradebook.start_batch(ASSIGNMENT, seed=1)
    for verdict in verdicts:
        gradebook.record(verdict, None, batch=batch)
    return {hand_in_of(v).key: v.submission.submitted_at for v in verdicts}


def told(verdict: Verdict, at: dt.datetime | None, **changed: str) -> HandInTime:
    one = msgspec.structs.asdict(verdict.submission)
    return HandInTime(
        student=verdict.student,
        attempt=one["attempt"],
        sha256=changed.get("sha256", one["sha256"]),
        at=at,
        told_by="moodle.csv",
    )


def test_a_time_that_is_learnt_holds_for_the_verdict_that_is_there(gradebook: Gradebook) -> None:
    ada, ben = undated("Ada"), undated("Ben")
    known = record(gradebook, ada, ben)
    [learnt] = gradebook.hand_ins.learn(ASSIGNMENT, [told(ada, LATE), told(ben, None)], known)
    assert (learnt.student, learnt.before, learnt.at) == ("Ada", None, LATE)
    assert learnt.told_by == "moodle.csv"
    times = [v.submission.submitted_at for v in gradebook.current(ASSIGNMENT)]
    assert times == [LATE, None]
    [ada_learnt, _] = gradebook.current(ASSIGNMENT)
    assert ada_learnt == gradebook.current_entries(ASSIGNMENT)[0].verdict
    assert len(gradebook.history(ASSIGNMENT)) == 2  # nothing was judged again


def test_the_newest_time_holds_and_each_is_in_the_history(gradebook: Gradebook) -> None:
    ada = undated("Ada")
    known = record(gradebook, ada)
    for at in (LATE, LATE, DUE):
        known[told(ada, at).key] = gradebook.current(ASSIGNMENT)[0].submission.submitted_at
        gradebook.hand_ins.learn(ASSIGNMENT, [told(ada, at)], known)
    assert gradebook.current(ASSIGNMENT)[0].submission.submitted_at == DUE
    assert [(one.before, one.at) for one in gradebook.hand_ins.history(ASSIGNMENT)] == [
        (None, LATE),
        (LATE, DUE),
    ]
    item = Item(id="a1", title="MLPs", assignment=ASSIGNMENT)
    course = CourseFile(
        title="C",
        institution="U",
        term="F",
        components=(Component(id="a", title="A", weight=Decimal(100), items=(item,)),),
    )
    events = [(e.what, e.why) for e in machine_history(course, gradebook)]
    assert events[1:] == [
        ("attempt 1: handed in not known → 2024-10-30 21:30", "moodle.csv"),
        ("attempt 1: handed in 2024-10-30 21:30 → 2024-10-30 20:59", "moodle.csv"),
    ]


def test_a_time_is_of_one_attempt_and_one_file(gradebook: Gradebook) -> None:
    first, second = undated("Ada"), undated("Ada", attempt=2)
    known = record(gradebook, first, second)
    strange = told(first, LATE, sha256="0" * 64)
    assert gradebook.hand_ins.learn(ASSIGNMENT, [strange], known) == []
    gradebook.hand_ins.learn(ASSIGNMENT, [told(first, LATE)], known)
    assert [e.verdict.submission.submitted_at for e in gradebook.current_entries(ASSIGNMENT)] == [
        LATE,
        None,
    ]
    # Another file under the same number has a time of its own.
    other = msgspec.structs.replace(
        undated("Ada"), submission=msgspec.structs.replace(first.submission, sha256="1" * 64)
    )
    record(gradebook, other)
    held = {e.verdict.submission.attempt: e.verdict for e in gradebook.current_entries(ASSIGNMENT)}
    assert held[1].submission.submitted_at == first.submission.submitted_at

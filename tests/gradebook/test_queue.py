"""The queue of the desk, in each database: who goes first, and how long it takes."""

from __future__ import annotations

import datetime as dt

from grader.gradebook.claims import finish
from grader.gradebook.database import writing
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import AGAIN, REGRADES, STUDENTS
from tests.gradebook.waiting_tries import LEASE, NOW, claimed, waiting


def test_who_waits_goes_before_what_can_wait_and_each_in_order(book: Gradebook) -> None:
    regrade = waiting(book, "ada")
    claimed(book)
    book.claims.fail(regrade.id, "ours", now=NOW)
    book.queue.again([regrade.id], priority=REGRADES)
    second, third = waiting(book, "ben"), waiting(book, "cem")
    again = book.tries.get(regrade.id)
    assert again is not None
    assert [book.queue.ahead_of(t) for t in (second, third, again)] == [0, 1, 2]
    assert book.queue.positions() == {second.id: 0, third.id: 1, regrade.id: 2}
    assert claimed(book, limit=2) == ["ben", "cem"]
    assert claimed(book) == ["ada"]
    assert STUDENTS < REGRADES


def test_the_tries_of_one_student_hold_up_no_other(book: Gradebook) -> None:
    flood = [waiting(book, "max", f"m{n}", attempt=n) for n in range(1, 20)]
    ada = waiting(book, "ada")
    second = waiting(book, "ada", "again", attempt=2)
    assert [book.queue.ahead_of(t) for t in (flood[0], ada, flood[1], second)] == [0, 1, 2, 3]
    positions = book.queue.positions()
    assert sorted(positions, key=positions.__getitem__)[:4] == [
        *(flood[0].id, ada.id, flood[1].id, second.id),
    ]
    assert claimed(book, limit=3) == ["max", "ada", "max"]
    third = waiting(book, "ada", "third", attempt=3)  # one of hers runs, one waits
    assert (third.priority, waiting(book, "ben").priority) == (STUDENTS + 1, STUDENTS)
    assert all(STUDENTS <= t.priority < AGAIN for t in flood)
    assert claimed(book, limit=2) == ["ben", "ada"]


def judged_at(book: Gradebook, student: str, began_s: float, ended_s: float) -> None:
    one = waiting(book, student)
    began, ended = (NOW + dt.timedelta(seconds=s) for s in (began_s, ended_s))
    assert [t.id for t in book.claims.take("e1", limit=1, now=began, lease=LEASE)] == [one.id]
    with writing(book.engine) as session:
        finish(session, one.id, None, now=ended)


def test_the_pace_is_that_of_a_queue_which_is_not_empty(book: Gradebook) -> None:
    now = NOW + dt.timedelta(hours=3)
    assert book.queue.pace_s(now=now) is None
    judged_at(book, "ada", 0, 2)
    judged_at(book, "ben", 3600, 3602)  # an hour in which nobody handed in
    assert book.queue.pace_s(now=now) == 2.0
    for student, ended_s in (("cem", 7210), ("dan", 7220), ("eve", 7230), ("fay", 7240)):
        judged_at(book, student, 7200, ended_s)  # all claimed at once, judged one by one
    assert book.queue.pace_s(now=now) == (2 + 2 + 4 * 10) / 6
    waiting(book, "gus"), waiting(book, "hal")
    assert book.queue.state(now=now).seconds_left == 2 * (2 + 2 + 4 * 10) / 6
    assert book.queue.pace_s(now=now + dt.timedelta(days=1)) is None


def test_the_queue_says_how_long_it_is_and_since_when(book: Gradebook) -> None:
    waiting(book, "ada"), waiting(book, "ben")
    claimed(book, limit=1)
    queue = book.queue.state(now=NOW)
    assert (queue.waiting, queue.running, queue.failed, queue.oldest) == (1, 1, 0, NOW)

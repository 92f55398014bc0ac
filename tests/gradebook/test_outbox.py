"""The outbox in each kind of database: each mail is claimed once, and nothing is told twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader.gradebook.outbox import LEASE, Letter, MailState, Outbox
from grader.gradebook.schema import open_engine

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def letters(count: int) -> list[Letter]:
    return [Letter(person=f"s{i}", kind="published", about="1", facts={}) for i in range(count)]


@pytest.fixture
def outbox(url: str) -> Iterator[Outbox]:
    engine = open_engine(url)
    yield Outbox(engine)
    engine.dispose()


def test_the_same_letter_is_in_it_once_however_often_it_is_put(outbox: Outbox) -> None:
    for _ in range(2):
        outbox.put(letters(3), now=NOW)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: outbox.put(letters(5), now=NOW), range(8)))
    assert outbox.counts() == {MailState.WAITING: 5}


def test_many_senders_claim_each_mail_once(outbox: Outbox) -> None:
    outbox.put(letters(40), now=NOW)

    def work(_: int) -> list[int]:
        own = []
        while (mail := outbox.claim(now=NOW, per_minute=1000)) is not None:
            own.append(mail.id)
        return own

    with ThreadPoolExecutor(4) as threads:
        claimed = [number for own in threads.map(work, range(4)) for number in own]
    assert len(claimed) == len(set(claimed)) == 40


def test_what_a_dead_sender_had_is_free_again_but_for_what_it_handed_over(outbox: Outbox) -> None:
    outbox.put(letters(2), now=NOW)
    first, second = (outbox.claim(now=NOW, per_minute=9) for _ in range(2))
    assert first is not None and second is not None
    outbox.handing_over(second, "s1@example.edu", now=NOW)
    assert outbox.claim(now=NOW + LEASE / 2, per_minute=9) is None
    later = NOW + LEASE + dt.timedelta(seconds=1)
    again = outbox.claim(now=later, per_minute=9)
    assert again is not None and (again.id, again.starts) == (first.id, 2)
    assert outbox.claim(now=later, per_minute=9) is None
    assert outbox.counts() == {MailState.CLAIMED: 1, MailState.UNSURE: 1}


def test_a_mail_whose_time_is_over_has_failed_and_says_why(outbox: Outbox) -> None:
    outbox.put(letters(2), now=NOW, lasts=dt.timedelta(hours=1))
    one = outbox.claim(now=NOW, per_minute=9)
    assert one is not None
    outbox.later(one, "451 greylisted", now=NOW)
    assert outbox.claim(now=NOW + dt.timedelta(hours=2), per_minute=9) is None
    said = {mail.person: mail.said for mail in outbox.newest()}
    assert said == {"s0": "451 greylisted", "s1": "It could not be sent in its time."}
    assert outbox.again(one.id, now=NOW + dt.timedelta(hours=3))
    assert not outbox.again(one.id, now=NOW + dt.timedelta(hours=3))
    back = outbox.claim(now=NOW + dt.timedelta(hours=3), per_minute=9)
    assert back is not None and back.id == one.id


def test_pages_of_the_list_follow_each_other(outbox: Outbox) -> None:
    outbox.put(letters(5), now=NOW)
    first = outbox.newest(limit=3)
    rest = outbox.newest(before=first[-1].id, limit=3)
    assert [mail.id for mail in first + rest] == [5, 4, 3, 2, 1]

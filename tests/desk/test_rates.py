"""How often forms are taken is one count, however many processes take them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from limits import parse
from limits.strategies import FixedWindowRateLimiter

from grader.desk import rates
from grader.desk.rates import SharedCounts
from grader.gradebook.schema import open_engine
from tests.desk.conftest import Tables

LIMIT = parse("3/minute")
NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path}/gradebook.db"


def test_two_processes_count_together_until_the_minute_is_over(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(url)
    monkeypatch.setattr(rates, "_now", lambda: NOW)
    a, b = (FixedWindowRateLimiter(SharedCounts(engine)) for _ in range(2))
    assert [a.hit(LIMIT, "ada"), b.hit(LIMIT, "ada"), a.hit(LIMIT, "ada")] == [True] * 3
    assert not b.hit(LIMIT, "ada")
    assert b.hit(LIMIT, "ben")
    assert not a.test(LIMIT, "ada")
    monkeypatch.setattr(rates, "_now", lambda: NOW + dt.timedelta(seconds=60))
    assert a.test(LIMIT, "ada")
    assert b.hit(LIMIT, "ada")
    a.clear(LIMIT, "ada")
    assert a.get_window_stats(LIMIT, "ada").remaining == 3
    engine.dispose()


def test_counts_that_are_over_are_swept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(url)
    monkeypatch.setattr(rates, "_SWEEP_EVERY", 2)
    counts = SharedCounts(engine)
    monkeypatch.setattr(rates, "_now", lambda: NOW)
    counts.incr("old", 60)
    monkeypatch.setattr(rates, "_now", lambda: NOW + dt.timedelta(minutes=2))
    counts.incr("new", 60)
    assert counts.reset() == 1
    engine.dispose()


def test_who_signs_in_too_often_is_asked_to_wait(tables: Tables) -> None:
    stranger = tables.stranger()
    own = {"sec-fetch-site": "same-origin"}
    statuses = [stranger.client.post("/s/nothing", headers=own).status_code for _ in range(500)]
    # A class behind one address is not too many; the minute may end on the way.
    assert 429 not in statuses[:240]
    assert 429 in statuses


def test_nobody_uploads_without_end(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed in or not, it lies on the disk: one person could fill it for the class."""
    monkeypatch.setattr(rates, "MEGABYTES_AN_HOUR", 1)  # then one of the largest, 101 MB, is all
    ada, large = tables.browser("ada"), ("hw.txt", bytes(40 << 20))
    assert [ada.hand_in(large, key=f"k{i}").status_code for i in range(3)] == [422, 422, 429]
    assert ada.hand_in(key="small").status_code == 429
    assert tables.browser("ben").hand_in(large).status_code == 422
    assert list(tables.desk.uploads.iterdir()) == []

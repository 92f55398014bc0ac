"""Which engines are at work is known to every process, and is forgotten of those that are not."""

from __future__ import annotations

import datetime as dt

from grader.gradebook.engines import GONE
from grader.gradebook.store import Gradebook

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def test_an_engine_is_at_work_until_it_leaves_or_falls_silent(url: str) -> None:
    with Gradebook(url) as book:
        engines = book.engines
        assert engines.at_work(now=NOW) == []
        engines.here("b", now=NOW, sandbox="docker, warm")
        engines.here("a", now=NOW, trouble="hw1: the suite is broken")
        assert [(e.name, e.sandbox, e.trouble) for e in engines.at_work(now=NOW)] == [
            ("a", "", "hw1: the suite is broken"),
            ("b", "docker, warm", ""),
        ]
        later = NOW + dt.timedelta(seconds=60)
        engines.here("a", now=later)
        assert [e.trouble for e in engines.at_work(now=later)] == ["", ""]
        assert [e.name for e in engines.at_work(now=NOW + GONE)] == ["a"]
        engines.left("a")
        assert engines.at_work(now=NOW + GONE) == []

"""Pages follow by themselves: news come when something changes, and end with the try."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest

from grader.desk import events
from grader.desk.engine.supervisor import Supervisor
from grader.desk.engine.talk import CellNews, from_line, to_line
from grader.desk.events import MOST_OF_ONE, News, about
from grader.gradebook.queue import TryQueue
from tests.desk.conftest import Tables, run_async

MINUTE = dt.timedelta(minutes=1)


def test_a_try_is_followed_from_the_queue_to_its_verdict(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK_S", 0.01)
    first, second = tables.tried("ben"), tables.tried("ada")
    claims = tables.course.gradebook.claims
    supervisor = Supervisor("course", [])
    news = News(tables.desk, [supervisor])

    async def follow() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        async with news:
            async for line in news.follow("course", second.id):
                said = json.loads(line.removeprefix(b"data: "))
                heard.append(said)
                if (said["state"] == "waiting" and said["ahead"] == 1) or said[
                    "state"
                ] == "waiting":
                    claims.take("e1", limit=1, now=tables.now, lease=MINUTE)
                elif said["cell"] == 3:  # after the last cell come the checks
                    supervisor.cells.hear(to_line(CellNews(number=second.id, cell=10, cells=9)))
                elif not said["cells"]:
                    supervisor.cells.hear(to_line(CellNews(number=second.id, cell=3, cells=9)))
                else:
                    claims.fail(second.id, "ours", now=tables.now)
        return heard

    heard = run_async(follow())
    states = ["waiting", "waiting", "running", "running", "running", "failed"]
    assert [h["state"] for h in heard] == states
    assert [h["ahead"] for h in heard[:2]] == [1, 0]
    assert (heard[3]["cell"], heard[3]["cells"]) == (3, 9)
    assert [h["says"] for h in heard] == [
        "1 before it in the queue.",
        "It is next.",
        "It runs.",
        "Cell 3 of 9.",
        "The checks.",
        "",
    ]
    assert first.id < second.id


def test_a_student_reads_when_to_expect_the_verdict(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TryQueue, "pace_s", lambda self, *, now: 70.0)
    tables.tried("cem")
    claims = tables.course.gradebook.claims
    claims.take("e1", limit=1, now=tables.now, lease=MINUTE)
    tables.tried("ben")
    one = tables.tried("ada")
    ada = tables.browser("ada")
    said = "1 before it in the queue; the verdict comes in about 4 minutes."
    page = f"/c/course/t/{one.id}"
    assert said in ada.get(page).text
    assert ada.get(page, headers={"accept": "application/json"}).json()["says"] == said
    claims.take("e1", limit=2, now=tables.now, lease=MINUTE)
    assert "It runs; the verdict comes in about 4 minutes." in ada.get(page).text
    assert "what waits takes about 4 minutes" in tables.browser("hana").get("/c/course/queue").text
    claims.fail(one.id, "ours", now=tables.now)
    assert "verdict comes" not in ada.get(page).text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "less than a minute"),
        (50, "about a minute"),
        (61, "about 2 minutes"),
        (239, "about 4 minutes"),
        (2 * 3600 - 10, "about 2 hours"),
        (9 * 3600, "about 9 hours"),
    ],
)
def test_a_length_of_time_is_said_as_people_do(seconds: float, said: str) -> None:
    assert about(seconds) == said


def test_nobody_is_looked_after_who_has_gone(tables: Tables) -> None:
    one = tables.tried("ada")
    news = News(tables.desk, [])

    async def look_once() -> None:
        follower = news.follow("course", one.id)
        waiting = asyncio.ensure_future(anext(follower))
        await asyncio.sleep(0)
        assert news._watchers
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await follower.aclose()

    run_async(look_once())
    assert not news._watchers


def test_nobody_follows_so_many_pages_that_others_have_no_connection(tables: Tables) -> None:
    one = tables.tried("ada")
    news = tables.client.app.state.news  # type: ignore[attr-defined]
    ada, account = tables.browser("ada"), tables.course.people.named("ada").account  # type: ignore[union-attr]

    async def follow_many() -> None:
        many = [news.follow("course", one.id, account=account) for _ in range(MOST_OF_ONE)]
        waiting = [asyncio.ensure_future(anext(follower)) for follower in many]
        await asyncio.sleep(0)
        refused = await asyncio.to_thread(ada.get, f"/c/course/t/{one.id}/events")
        assert refused.status_code == 429 and "too many pages" in refused.text
        assert news.may_follow(account + 1)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for follower in many:
            await follower.aclose()

    run_async(follow_many())
    assert news.may_follow(account)


def test_lines_of_the_engine_come_through_and_others_are_passed_over() -> None:
    told = CellNews(number=3, cell=1, cells=2)
    assert from_line(to_line(told)) == told
    assert from_line(b"a warning of some library\n") is None
    assert from_line(b'{"kind": "cell", "number": "x"}\n') is None

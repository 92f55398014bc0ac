"""Whoever asks for a lot at once keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response

from grader.desk.app import make_app
from grader.desk.may import Action
from grader.desk.routing import Page, Visit
from tests.desk.conftest import Tables, run_async

MANY = 60
"""More than there are threads."""
WAIT_S = 60.0


def test_one_person_can_not_take_all_threads(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    most, at_once, lock = 0, 0, threading.Lock()

    def slow(visit: Visit) -> Response:
        nonlocal most, at_once
        if visit.me.person == "ada":
            with lock:
                at_once += 1
                most = max(most, at_once)
            ended.wait(WAIT_S)
            with lock:
                at_once -= 1
        return PlainTextResponse("ok")

    page = Page(method="GET", path="/c/{course}/slow", view=slow, action=Action.SEE_COURSE)
    monkeypatch.setattr("grader.desk.app.all_pages", lambda: [page])
    app = make_app(tables.desk)
    name = tables.desk.cookie
    sessions = {person: tables.browser(person).client.cookies[name] for person in ("ada", "ben")}

    async def asked(person: str) -> int:
        head = [(b"host", b"desk.test"), (b"cookie", f"{name}={sessions[person]}".encode())]
        path = "/c/course/slow"
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": head,
            "client": ("127.0.0.1", 1),
            "server": ("desk.test", 80),
            "scheme": "http",
            "http_version": "1.1",
        }
        said: list[int] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                said.append(message["status"])

        await app(scope, receive, send)
        return said[0]

    async def all_of_them() -> list[int]:
        many = [asyncio.create_task(asked("ada")) for _ in range(MANY)]
        while not most:
            await asyncio.sleep(0.01)
        try:
            found = [await asyncio.wait_for(asked("ben"), WAIT_S / 2)]
        finally:
            ended.set()
        return found + list(await asyncio.gather(*many))

    assert run_async(all_of_them()) == [200] * (MANY + 1)
    assert 1 < most < MANY / 4

"""A desk that is served from a thread to browsers, with three answers that wait for a marker."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from grader.desk.app import make_app
from grader.desk.courses import open_desk
from tests.desk.conftest import Tables
from tests.desk.piles import Pile
from tests.helpers.waiting import until

WAIT_MS = 240_000


class Served(Pile):
    """A desk that is served, with three answers, and who sits at it."""

    def __init__(self, tables: Tables, origin: str, browser: Any) -> None:
        super().__init__(tables)
        self.origin = origin
        self.browser = browser
        self.complaints: list[str] = []

    def sign_in(self, person: str, **options: Any) -> Any:
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.origin}/s/{self.tables.link(person)}")
        page.click("button.main")
        page.wait_for_load_state()
        return page

    def opened(self, page: Any, path: str = "mark/q3") -> str:
        page.goto(f"{self.origin}/c/course/a/warm-up/{path}")
        page.wait_for_selector("[data-mark]")
        return str(page.url)


@pytest.fixture
def served(filled: Path, tmp_path: Path, browser: Any) -> Iterator[Served]:
    shutil.copytree(filled, tmp_path / "desk")
    roots = [tmp_path / "desk" / name for name in ("course", "other")]
    desk = open_desk(roots, origin="http://127.0.0.1")
    app = make_app(desk)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server")
        port = server.servers[0].sockets[0].getsockname()[1]
        tables = Tables(desk, TestClient(app, base_url=desk.origin))
        yield Served(tables, f"http://127.0.0.1:{port}", browser)
    finally:
        server.should_exit = True
        thread.join()
        for course in desk.courses.values():
            course.gradebook.close()

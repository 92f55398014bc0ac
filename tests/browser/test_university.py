"""A university's sign-in as a browser goes through it: redirects, cookies and policies are real."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from grader.desk.app import make_app
from grader.desk.courses import open_desk
from grader.desk.people import Role
from grader.desk.server import _listen
from grader.desk.settings import load_settings
from tests.desk.conftest import make_course
from tests.helpers.openid.real import real_provider

pytestmark = pytest.mark.browser
WAIT_MS = 240_000
WRITTEN = """\
[[sign_in]]
id = "uni"
name = "Example University"
issuer = "{issuer}"
client_id = "desk"
client_secret_env = "GRADER_TEST_CLIENT_SECRET"
"""


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A desk of one course whose people sign in at a real provider."""
    monkeypatch.setenv("GRADER_TEST_CLIENT_SECRET", "s3cret/with+odd chars")
    listening = _listen("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with real_provider(f"{origin}/sign-in/with/uni/answer") as provider:
        (tmp_path / "desk.toml").write_text(WRITTEN.format(issuer=provider.issuer))
        desk = open_desk(
            [make_course(tmp_path / "course")],
            origin=origin,
            settings=load_settings(tmp_path / "desk.toml"),
        )
        people = desk.courses["course"].people
        people.put("ada", name="Ada Lovelace", email="ada@example.edu", role=Role.STUDENT)
        server = uvicorn.Server(uvicorn.Config(make_app(desk), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield origin
        finally:
            server.should_exit = True
            thread.join(120)
            desk.accounts.close()


def through_the_provider(page: Any, login: str) -> None:
    """Fill in the provider's own pages: who it is, and that the desk may know."""
    page.fill("[name=login]", login)
    page.fill("[name=password]", "any")
    for _ in range(2):
        page.click("button[type=submit]")
        page.wait_for_load_state()


def test_a_browser_signs_in_at_a_university_and_out_again(browser: Any, origin: str) -> None:
    complaints: list[str] = []
    page = browser.new_context().new_page()
    page.set_default_timeout(WAIT_MS)
    page.on(
        "console",
        lambda m: (
            complaints.append(m.text)
            if m.type == "error" and m.location["url"].startswith(origin)  # not the provider's own
            else None
        ),
    )
    page.goto(f"{origin}/c/course/a/warm-up")
    page.click("text=Sign in with Example University")
    through_the_provider(page, "sub-ada")
    assert page.url == f"{origin}/c/course/a/warm-up"
    assert page.inner_text(".me a") == "Ada Lovelace"
    names = {cookie["name"] for cookie in page.context.cookies(origin)}
    assert "grader" in names and "grader-asked" not in names
    page.click("text=Sign out")
    page.wait_for_load_state()
    assert "still signed in" in page.inner_text("main")
    page.click("text=sign out there too")
    page.wait_for_load_state()
    assert not page.url.startswith(origin)
    stranger = browser.new_context().new_page()
    stranger.set_default_timeout(WAIT_MS)
    stranger.goto(f"{origin}/sign-in")
    stranger.click("text=Sign in with Example University")
    through_the_provider(stranger, "sub-guest")
    assert "guest@elsewhere.example" in stranger.inner_text("main")
    stranger.goto(f"{origin}/account")
    assert stranger.url.startswith(f"{origin}/sign-in")
    assert complaints == []


def test_it_works_without_script(browser: Any, origin: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{origin}/account")
    page.click("text=Sign in with Example University")
    through_the_provider(page, "sub-ada")
    assert page.url == f"{origin}/account"
    assert "ada@example.edu" in page.inner_text("main").lower()

"""What stops a student's script in a browser, each wall alone, and that it runs without them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from starlette.responses import HTMLResponse

from grader.api.own_work import WorkReader
from grader.desk.views import tries
from grader.report import rendered_notebook
from tests.browser.serving import Served
from tests.helpers.notebooks import code, notebook

SCRIPT = "<img src='data:,x' onerror='document.title = \"ran\"'>"
RAN = "ran"

pytestmark = pytest.mark.browser


def unsanitised(patch: pytest.MonkeyPatch) -> None:
    """A hole in what cleans a notebook's outputs."""
    patch.setattr(rendered_notebook, "sanitise_html", lambda html, **_: Markup(html))


def without_its_own_policy(patch: pytest.MonkeyPatch) -> None:
    """The page is that of a file, which names a policy in its head; a desk does not rely on it."""
    whole = WorkReader.page

    def cut(self: WorkReader, *said: Any) -> str:
        before, _, after = whole(self, *said).partition(
            '<meta http-equiv="Content-Security-Policy"'
        )
        assert after
        return before + after.partition(">")[2]

    patch.setattr(WorkReader, "page", cut)


def without_header(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tries, "STUDENT_CSP", "frame-ancestors 'self'")


def without_frame(patch: pytest.MonkeyPatch) -> None:
    """The page of the desk has a frame without a sandbox."""
    whole = tries.page

    def cut(*said: Any, **more: Any) -> Any:
        answer = whole(*said, **more)
        assert b" sandbox " in answer.body
        return HTMLResponse(answer.body.replace(b" sandbox ", b" "))

    patch.setattr(tries, "page", cut)


@pytest.mark.parametrize(
    ("weakened", "alone", "framed"),
    [
        ([without_its_own_policy, without_header, without_frame], False, False),  # cleaned away
        ([unsanitised, without_its_own_policy, without_frame], False, False),  # by the header
        ([unsanitised, without_its_own_policy, without_header], True, False),  # by the frame
        ([unsanitised, without_its_own_policy, without_header, without_frame], True, True),
    ],
    ids=["cleaned", "header", "frame", "none"],
)
def test_a_script_of_a_student_runs_only_where_all_walls_are_missing(
    served: Served, monkeypatch: pytest.MonkeyPatch, weakened: list[Any], alone: bool, framed: bool
) -> None:
    tables = served.tables
    one = tables.course.gradebook.tries.of("ada")[0]
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT}}
    cell = code("show()", count=1) | {"outputs": [output]}
    batch = tables.course.gradebook.start_batch("warm-up", seed=1)
    tables.course.gradebook.record(
        tables.verdict(one), notebook([cell]), batch=batch, desk_try=one.id
    )
    for weaken in weakened:
        weaken(monkeypatch)
    page = served.sign_in("mia")
    # Without script of the desk's own the frame is the same.
    result = f"{served.origin}/c/course/t/{one.id}/result"
    page.goto(f"{result}/page")  # loaded: the picture has failed
    assert page.locator("text=show()").count()
    assert (page.title() == RAN) == alone
    page.goto(result)
    inside = page.frame_locator("iframe")
    assert inside.locator("text=show()").count()
    assert (inside.locator("title").text_content() == RAN) == framed
    page.context.close()


def test_every_frame_is_a_sandbox_without_any_permission() -> None:
    templates = Path(__file__).parents[2] / "templates/desk"
    frames = [
        frame
        for path in sorted(templates.rglob("*.j2"))
        for frame in re.findall(r"<iframe[^>]*>", path.read_text())
    ]
    assert len(frames) >= 6
    assert [frame for frame in frames if not re.search(r" sandbox(?=[ >])", frame)] == []

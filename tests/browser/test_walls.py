"""What stops a student's script in a browser, each wall alone, and that it runs without them."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import Markup

from grader.api.own_work import WorkReader
from grader.desk.views import tries
from grader.report import rendered_notebook
from tests.browser.serving import Served
from tests.helpers.notebooks import code, notebook

SCRIPT = "<img src='data:,x' onerror='document.title = document.cookie || \"ran\"'>"

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
    patch.setattr(tries, "STUDENT_CSP", "")


@pytest.mark.parametrize(
    ("weakened", "runs"),
    [
        ([without_its_own_policy, without_header], False),  # it was cleaned away
        ([unsanitised, without_its_own_policy], False),  # the header's sandbox has no scripts
        ([unsanitised, without_its_own_policy, without_header], True),
    ],
    ids=["cleaned", "sandbox", "neither"],
)
def test_a_script_of_a_student_runs_only_where_both_walls_are_missing(
    served: Served, monkeypatch: pytest.MonkeyPatch, weakened: list[Any], runs: bool
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
    page.goto(f"{served.origin}/c/course/t/{one.id}/result")  # loaded: the picture has failed
    assert page.locator("text=show()").count()
    assert (page.title() == "ran") == runs
    page.context.close()

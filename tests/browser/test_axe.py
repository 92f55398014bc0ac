"""axe-core finds nothing on any page: of the desk for each role, and of the reports."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.report.audit_page import audit_page
from tests.browser.pages import READABLE
from tests.browser.serving import WAIT_MS, Served
from tests.browser.walking import POSTED, ROLES, filled_in, looks, posted
from tests.report.test_audit_page import AUDIT, NOW

AXE = Path(__file__).parents[2] / ".venv/node/node_modules/axe-core/axe.min.js"
# Colours are all that differs in the dark: nothing else is looked at twice.
# A table that pandas printed is its notebook's own, with an empty corner. A paragraph whose author
# wrote a formula wider than the page scrolls; browsers let a keyboard reach it without our saying.
LOOK = """async only => {
  const found = await axe.run({exclude: [".dataframe"]}, {
    iframes: false, resultTypes: ["violations"],
    ...(only ? {runOnly: {type: "rule", values: only}} : {})});
  const ours = (v, n) => v.id !== "scrollable-region-focusable" ||
    !document.querySelector(n.target[0]).matches("p:has(> math)");
  return found.violations.flatMap(v => v.nodes.filter(n => ours(v, n)).map(n =>
    `${v.id}: ${n.target.join(" ")}: ${n.any.concat(n.all, n.none).map(c => c.message)[0]}`));
}"""
DARK_ONLY = ["color-contrast", "link-in-text-block"]

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of a browser in which axe-core waits beside every document."""
    if not AXE.exists():
        reason = "axe-core is not installed, so no page was looked at: make .venv/.node"
        if os.environ.get("GRADER_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    context = browser.new_context()
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


def faults(page: Any) -> list[str]:
    """What axe-core says against a page, in the light and in the dark."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    light = page.evaluate(LOOK, None)
    page.emulate_media(color_scheme="dark")
    return light + [f"dark: {said}" for said in page.evaluate(LOOK, DARK_ONLY)]


def test_axe_finds_faults_where_there_are_some(page: Any) -> None:
    page.set_content(
        "<h1>One</h1><h3>Three</h3><input>"
        "<style>@media (prefers-color-scheme: dark) { p { color: #ddd } }</style>"
        "<p>Not seen in the dark.</p>"
    )
    found = {said.rpartition(":")[0].split(": ")[0] for said in faults(page)}
    assert {"label", "html-has-lang", "heading-order", "dark"} <= found


def look_at_all(served: Served, page: Any, width: int, *, alike: Container[str] = ()) -> set[str]:
    """Look at what every role is shown; those of `alike` at what nobody before them was shown."""
    page.set_viewport_size({"width": width, "height": 800})
    found, seen = {}, set[str]()
    at = filled_in(served)
    page.goto(f"{served.origin}/sign-in")
    found["sign-in"] = faults(page)
    for person in ROLES:
        known = seen.copy() if person in alike else ()
        for path in looks(served, page, person, at, known):
            seen.add(path)
            found[f"{person} {path}"] = faults(page)
    assert {path: said for path, said in found.items() if said} == {}
    return seen


def test_axe_finds_nothing_on_any_page_of_the_desk(served: Served, page: Any) -> None:
    """As a student and an instructor see it: others of the staff see less of the same."""
    assert len(look_at_all(served, page, 1280, alike=ROLES[2:])) > 30


# On a phone tables become stacked lines, and what was beside is below.
@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_on_what_any_role_is_shown(served: Served, page: Any, width: int) -> None:
    assert len(look_at_all(served, page, width)) > 30


def test_axe_finds_nothing_on_pages_that_only_a_form_makes(served: Served, page: Any) -> None:
    found = {}
    for one in posted(served, page, filled_in(served), POSTED):
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            found[f"{one.person} {one.path} {one.fields} {width}"] = faults(page)
    assert len(found) == 2 * len(POSTED)
    assert {path: said for path, said in found.items() if said} == {}


REPORTS = READABLE | {"audit": lambda: audit_page(AUDIT, at_least=0.95, now=NOW)}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_axe_finds_nothing_on_any_report(page: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(REPORTS[name](), encoding="utf-8")
    page.goto(path.as_uri())
    assert faults(page) == []

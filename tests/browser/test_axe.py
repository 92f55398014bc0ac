"""axe-core finds nothing on any page: of the desk for each role, and of the reports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.desk.pages import all_pages
from grader.report.audit_page import audit_page
from tests.browser.pages import READABLE
from tests.browser.serving import WAIT_MS, Served
from tests.desk.conftest import places
from tests.desk.piles import MARKING
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
ROLES = ("ada", "mia", "hana", "ines", "adi")

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


def filled_in(served: Served) -> dict[str, object]:
    """Have some of everything: a rubric, marks, a second look asked for, an appeal, what is out."""
    tables = served.tables
    number = tables.course.gradebook.tries.of("ada")[0].id
    at = {"link": "none", "file": "none", **places(tables, number)}
    mia, hana, ines = (tables.browser(person) for person in ("mia", "hana", "ines"))
    item = str(at["item"])
    assert served.save(mia, "ben", item=item, comment="**Good.** $x^2$").status_code == 303
    assert served.save(mia, "ada", item=item, adjustment="-0.5").status_code == 303
    drawn = hana.post(f"{MARKING}/q3/sample", {"percent": "100", "marker": "ines"})
    assert drawn.status_code == 303, drawn.text
    ines.client.post("/account/tokens", data=ines.form("/account") | {"label": "laptop"})
    return at


def looks(served: Served, page: Any, person: str, at: dict[str, object]) -> Iterator[str]:
    """Open all that one person is shown, page after page; yield where the browser is."""
    page.context.clear_cookies()
    page.goto(f"{served.origin}/s/{served.tables.link(person)}")
    yield "/s/{link}"
    page.click("button.main")
    page.wait_for_load_state()
    refused = False
    for declared in all_pages():
        if declared.method != "GET" or declared.path.endswith("/events"):
            continue
        path = served.origin + declared.path.format(**at)
        answer = page.request.get(path)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if not is_page or "attachment" in answer.headers.get("content-disposition", ""):
            continue
        if "sandbox" in answer.headers["content-security-policy"]:
            continue  # a frame in which no script runs; the same page is among the reports
        if answer.status >= 400 and refused:
            continue
        refused = refused or answer.status >= 400
        page.goto(path)
        yield declared.path


def test_axe_finds_nothing_on_any_page_of_the_desk(served: Served, page: Any) -> None:
    found, seen = {}, set()
    at = filled_in(served)
    page.goto(f"{served.origin}/sign-in")
    found["sign-in"] = faults(page)
    for person in ROLES:
        for path in looks(served, page, person, at):
            seen.add(path)
            found[f"{person} {path}"] = faults(page)
    assert {path: said for path, said in found.items() if said} == {}
    assert len(seen) > 30


REPORTS = READABLE | {"audit": lambda: audit_page(AUDIT, at_least=0.95, now=NOW)}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_axe_finds_nothing_on_any_report(page: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(REPORTS[name](), encoding="utf-8")
    page.goto(path.as_uri())
    assert faults(page) == []

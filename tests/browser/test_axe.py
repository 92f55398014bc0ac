"""axe-core finds nothing on any page: of the desk for each role, and of the reports."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.desk.pages import all_pages
from grader.report.audit_page import audit_page
from tests.browser.pages import READABLE
from tests.browser.serving import WAIT_MS, Served
from tests.desk.conftest import places
from tests.desk.piles import MARKING
from tests.desk.test_handing_in import WARNED
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
ROLES = ("ada", "ines", "mia", "hana", "adi")

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


def looks(
    served: Served, page: Any, person: str, at: dict[str, object], known: Container[str] = ()
) -> Iterator[str]:
    """Open all that one person is shown, page after page; yield where the browser is.

    Of the pages that refuse them, the first; all of these are alike.

    Args:
        served: the desk.
        page: a browser's.
        person: who looks.
        at: what stands in addresses.
        known: pages that are left out.
    """
    page.context.clear_cookies()
    page.goto(f"{served.origin}/s/{served.tables.link(person)}")
    yield "/s/{link}"
    page.click("button.main")
    page.wait_for_load_state()
    refused = False
    for declared in all_pages():
        if declared.method != "GET" or declared.path.endswith("/events"):
            continue
        if declared.path in known:
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
        yield declared.path if answer.status < 400 else f"{declared.path}, refused"


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


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (31)
    Points Possible,,,,,10.00
"Lovelace, Ada",101,,ada,A,
"New, Nora",105,,nora,A,3
"""
MARK_Q3, PEOPLE = "/c/course/a/warm-up/mark/q3", "/c/course/people"


@dataclass(frozen=True)
class Posted:
    """A page that only a form makes; `says` is on it, and on no other."""

    person: str
    path: str
    fields: dict[str, str]
    says: str
    file: tuple[str, str] | None = None


HAND_IN = "/c/course/a/warm-up/hand-in"
POSTED = [
    Posted("ada", HAND_IN, {"key": "a1"}, "Back to where you were", ("hw.ipynb", "no notebook")),
    Posted("ada", HAND_IN, {"key": "a2"}, "tensorflow", ("hw.ipynb", WARNED.decode())),
    Posted("mia", f"{MARK_Q3}/preview", {"comment": "**Well.** $x^2$"}, "Well."),
    Posted("mia", f"{MARK_Q3}/{{ref}}", {"seen": "0", "adjustment": "1"}, "marked it first"),
    Posted("hana", f"{MARK_Q3}/items/{{item}}", {"says": "x", "points": "0.5"}, "changed this"),
    Posted("hana", f"{MARK_Q3}/rubric", {"begins": "all"}, "changed it"),
    Posted("hana", f"{MARK_Q3}/rubric", {"begins": "all", "seen": "none"}, "mark"),
    Posted("hana", "/c/course/a/warm-up/publish", {"upto": "99999"}, "looked at"),
    Posted(
        "hana", "/c/course/appeals/{appeal}/answer", {"key": "k", "says": "No."}, "answered first"
    ),
    Posted("ines", f"{PEOPLE}/links", {"person": "ben"}, "/s/"),
    Posted("ines", f"{PEOPLE}/staff", {"person": "x", "role": "student"}, "choose a role"),
    Posted("ines", "/c/course/roster/list", {}, "Nora", ("list.csv", CANVAS)),
    Posted("ines", "/c/course/export/look", {"item": "a1"}, "Warm-up (31)", ("list.csv", CANVAS)),
    Posted("ines", "/account/tokens", {"label": "laptop"}, "shown this once"),
]
SEND = """([path, fields, file]) => {
  const form = document.createElement("form");
  form.method = "post"; form.action = path; form.enctype = "multipart/form-data";
  fields.form = document.querySelector("[name=form]").value;
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    input.name = name; input.value = value; form.append(input);
  }
  if (file) {
    const input = document.createElement("input"), chosen = new DataTransfer();
    chosen.items.add(new File([file[1]], file[0]));
    input.type = "file"; input.name = path.endsWith("/hand-in") ? "files" : "file";
    input.files = chosen.files; form.append(input);
  }
  document.body.append(form); form.submit();
}"""


def test_axe_finds_nothing_on_pages_that_only_a_form_makes(served: Served, page: Any) -> None:
    at = filled_in(served)
    found, here = {}, ""
    for one in POSTED:
        if one.person != here:
            page.context.clear_cookies()
            page.goto(f"{served.origin}/s/{served.tables.link(one.person)}")
            page.click("button.main")
            page.wait_for_load_state()
        here = one.person
        page.goto(f"{served.origin}/account")
        with page.expect_navigation():
            page.evaluate(SEND, [one.path.format(**at), one.fields, one.file])
        assert one.says in page.inner_text("main"), (one, page.inner_text("main")[:500])
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            found[f"{one.person} {one.path} {width}"] = faults(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (one, wide)
    assert {path: said for path, said in found.items() if said} == {}


REPORTS = READABLE | {"audit": lambda: audit_page(AUDIT, at_least=0.95, now=NOW)}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_axe_finds_nothing_on_any_report(page: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(REPORTS[name](), encoding="utf-8")
    page.goto(path.as_uri())
    assert faults(page) == []

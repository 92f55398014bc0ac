"""Every page on a phone, a tablet and a screen, in the light and in the dark: nothing is cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.desk import rendering
from grader.desk.pages import all_pages
from tests.browser.serving import WAIT_MS, Served
from tests.browser.walking import ROLES, every_page

WIDTHS = (360, 768, 1280)
TEMPLATES = Path(__file__).parents[2] / "templates/desk"
# On a tablet a table may be wider and scrolls in its frame; on a phone its rows are stacked.
FAULTS = """() => {
  const width = innerWidth, said = [];
  const short = e => e.outerHTML.replace(/\\s+/g, " ").slice(0, 100);
  for (const details of document.querySelectorAll("details")) details.open = true;
  if (document.documentElement.scrollWidth > width)
    said.push(`the page is ${document.documentElement.scrollWidth} wide`);
  if (width < 640 || width > 1200)
    for (const wide of document.querySelectorAll(".wide"))
      if (wide.scrollWidth > wide.clientWidth + 1)
        said.push(`a table is ${wide.scrollWidth} wide: ${short(wide)}`);
  for (const e of document.querySelectorAll("body *")) {
    if (e.closest(".unseen, .skip, thead, svg, input, dialog:not([open]), .wide table")) continue;
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    if (box.right > width + 1 || box.left < -1) said.push(`outside: ${short(e)}`);
    const hides = ["hidden", "clip"].includes(getComputedStyle(e).overflowX);
    if (hides && e.scrollWidth > e.clientWidth + 1) said.push(`cut: ${short(e)}`);
  }
  return said;
}"""
BRIGHTNESS = """() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}"""

NO_PAGES = {
    "/healthz",
    "/healthz/live",
    "/healthz/ready",
    "/metrics",
    "/static/{file}",
    "/c/{course}/a/{assignment}/release.zip",
    "/c/{course}/t/{number}/events",
    "/c/{course}/t/{number}/notebook",
    "/c/{course}/t/{number}/receipt.json",
}
REPORTS = {
    "/c/{course}/a/{assignment}/mark/{question}/{ref}/work",
    "/c/{course}/a/{assignment}/mark/{tested}/tests/{work}/work",
    "/c/{course}/s/{student}/total/page",
    "/c/{course}/t/{number}/result/page",
}
"""In which no script runs, so that none can look: `test_pages.py` has them."""
BY_FORMS = {
    "/sign-in/with/{provider}/answer",
    "/c/{course}/a/{assignment}/confirm",
    "/c/{course}/a/{assignment}/mark/{question}/second/{ref}",
    "/c/{course}/export/look",
    "/c/{course}/groups/list",
    "/c/{course}/roster/list",
}
"""To which something leads that was sent, or asked for, before."""

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


def faults(page: Any) -> list[str]:
    """What is cut, or wider than the window, at any width; and what stays bright in the dark."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{width}: {said}" for said in page.evaluate(FAULTS)]
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        if (page.evaluate(BRIGHTNESS) < 0.5) != (scheme == "dark"):
            found.append(f"not {scheme}")
    return found


def test_what_is_cut_or_too_wide_or_too_bright_is_found(page: Any) -> None:
    page.set_content("<body style='background: #fff'><p style='width: 800px'>Wide</p>")
    said = faults(page)
    assert {one.split(":")[0] for one in said} == {"360", "768", "not dark"}
    assert any("outside: <p" in one for one in said)
    page.set_content(
        "<style>@media (prefers-color-scheme: dark) { body { background: #111 } }"
        "@media (prefers-color-scheme: light) { body { background: #fff } }</style>"
        "<body style='margin: 0'><div style='overflow: hidden; width: 50px'>Wolfeschlegelstein"
    )
    assert {one.split(":")[1] for one in faults(page)} == {" cut"}


def look_at(served: Served, page: Any, people: tuple[str, ...], patch: pytest.MonkeyPatch) -> None:
    """Look at everything, and that it is everything: every address, every template of a page."""
    rendered, found = set[str](), {}

    def render(name: str, *rest: Any, _as_ever: Any = rendering.render) -> str:
        rendered.add(name.removeprefix("desk/"))
        return str(_as_ever(name, *rest))

    patch.setattr(rendering, "render", render)
    for name in every_page(served, page, people):
        found[name] = faults(page)
    assert {name: said for name, said in found.items() if said} == {}
    pages = {
        path.name
        for path in TEMPLATES.glob("*.j2")
        if '{% extends "desk/base.html.j2" %}' in path.read_text()
    }
    assert pages - rendered == set()
    opened = {name.partition(" ")[2] for name in found}
    declared = {one.path for one in all_pages() if one.method == "GET"}
    others = NO_PAGES | REPORTS | BY_FORMS
    assert declared - opened - others == set()
    assert others <= declared


def test_no_page_is_cut_at_any_width_in_the_light_or_the_dark(
    served: Served, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a student and an instructor see it; of others, what these are not shown."""
    look_at(served, page, ROLES[:2], monkeypatch)


@pytest.mark.slow
def test_no_page_of_any_role_is_cut(
    served: Served, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at(served, page, ROLES, monkeypatch)

"""The pages in a real browser: nothing runs or loads, and people can read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import HOSTILE, PAGES, READABLE, html_of
from tests.helpers.waiting import until

pytestmark = pytest.mark.browser

Open = Callable[..., Any]

# Relative luminance and contrast ratio as WCAG 2.2 defines them; what is behind a text are the
# backgrounds of all that it stands in, one over the other.
CONTRAST = """() => {
  const parse = c => { const n = (c.match(/[\\d.]+/g) || []).map(Number);
      const unit = c.startsWith('color(srgb') ? 255 : 1;
      return [...n.slice(0, 3).map(v => v * unit), ...n.slice(3)]; };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255;
      return v <= .03928 ? v / 12.92 : Math.pow((v + .055) / 1.055, 2.4); });
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { if (!e) return [255, 255, 255];
      const [r, g, b, a = 1] = parse(getComputedStyle(e).backgroundColor);
      if (a === 1) return [r, g, b];
      const below = ground(e.parentElement);
      return [r, g, b].map((v, i) => a * v + (1 - a) * below[i]); };
  const poor = new Set();
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.getClientRects().length || e.closest('svg')) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...poor];
}"""


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a page from a file, one of all or any other, and record its signs of life in `signs`."""
    opened = []

    def _open(name: str = "", *, html: str = "", **options: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_text(html or html_of(name), encoding="utf-8")
        context = browser.new_context(**options)
        opened.append(context)
        page = context.new_page()
        page.signs = []
        page.on("dialog", lambda d: (page.signs.append(f"dialog {d.message}"), d.dismiss()))
        page.on("console", lambda m: page.signs.append(f"console {m.text}"))
        page.on("pageerror", lambda e: page.signs.append(f"script error {e}"))
        page.on("popup", lambda _: page.signs.append("popup"))
        page.on("requestfailed", lambda r: page.signs.append(f"refused ({r.failure}) {r.url[:80]}"))
        page.on("request", lambda r: page.signs.append(f"request {r.url[:80]}"))
        # If any script of the page's ran, it would find this and leave a sign.
        page.expose_function("attack", lambda *_: page.signs.append("attack ran"))
        page.goto(path.as_uri())
        return page

    yield _open
    for context in opened:
        context.close()


def _wait_for(page: Any, sign: str) -> None:
    """Wait until the page has shown a sign with that in it."""
    until(lambda: any(sign in s for s in page.signs), sign, page.wait_for_timeout)


def _unexpected(signs: list[str]) -> list[str]:
    own = ("request file://", "request data:image/")
    return [s for s in signs if not s.startswith(own)]


def test_the_measure_itself_sees_an_attack(show: Open) -> None:
    bare = "<script>attack()</script><img src='https://attack.example/x.png' onerror=attack()>"
    page = show(html=bare)
    _wait_for(page, "attack ran")
    _wait_for(page, "request https://attack.example")
    assert len(_unexpected(page.signs)) >= 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_full_of_attacks_runs_and_loads_nothing(show: Open, name: str) -> None:
    page = show(name)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.mouse.move(200, 300)
    for _ in range(25):
        page.keyboard.press("Tab")
    page.wait_for_timeout(500)
    assert _unexpected(page.signs) == []
    ours = int(name == "hostile class")  # sorts and filters; the policy names it by its hash
    assert page.evaluate("document.scripts.length") == ours
    assert page.evaluate("document.querySelectorAll('iframe, object, embed, form').length") == 0
    assert page.url.startswith("file://")


def test_the_policy_stops_a_script_even_where_one_got_through(show: Open) -> None:
    attack = "<script>attack()</script><img src='https://attack.example/x.png' onerror=attack()>"
    page = show(html=html_of("student").replace("</main>", f"{attack}</main>"))
    _wait_for(page, "refused")
    page.wait_for_timeout(300)
    assert "attack ran" not in page.signs
    (load,) = [s for s in page.signs if s.startswith("refused")]
    assert load == "refused (csp) https://attack.example/x.png"


def test_a_students_output_cannot_cover_the_marks(show: Open) -> None:
    page = show("hostile student")
    score = page.locator(".score strong").bounding_box()
    top = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('.score') !== null",
        [score["x"] + 5, score["y"] + 20],
    )
    assert top
    assert page.locator(".band").count() == 0


@pytest.mark.parametrize("name", list(PAGES))
def test_no_page_is_wider_than_its_window(show: Open, name: str) -> None:
    page = show(name)
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


@pytest.mark.parametrize("name", READABLE)
def test_all_text_has_enough_contrast(show: Open, name: str) -> None:
    page = show(name)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(CONTRAST) == [], scheme


def test_light_and_dark_are_two_looks(show: Open) -> None:
    grounds = {
        scheme: show("student", color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert grounds == {"light": "rgb(253, 252, 250)", "dark": "rgb(21, 23, 26)"}


@pytest.mark.parametrize("name", READABLE)
def test_a_screen_reader_finds_its_way(show: Open, name: str) -> None:
    page = show(name)
    for role in ("main", "banner", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert page.evaluate("[...document.images].every(i => i.alt)")
    identifiers = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(identifiers) == len(set(identifiers))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_pictures_and_formulas_are_really_drawn(show: Open) -> None:
    page = show("student")
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    box = page.locator("math[display=block] mfrac").first.bounding_box()
    assert box["width"] > 5 and box["height"] > 15


@pytest.mark.parametrize("name", ["student", "class"])
def test_a_page_prints(show: Open, name: str) -> None:
    page = show(name)
    page.emulate_media(media="print")
    assert page.locator(".skip").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("name", "folded"), [("instructor", "fold"), ("instructor", "inner"), ("answers", "findings")]
)
def test_what_is_folded_on_a_screen_is_open_on_paper(show: Open, name: str, folded: str) -> None:
    page = show(name)
    seen = f"""() => [...document.querySelectorAll('details.{folded}:not([open])')]
        .map(d => d.lastElementChild.checkVisibility())"""
    on_screen = page.evaluate(seen)
    assert on_screen
    assert not any(on_screen)
    page.emulate_media(media="print")
    assert all(page.evaluate(seen))


# What a student's notebook put out scrolls in its own box, under its cell.
CUT_OFF = """width => [...document.querySelectorAll('table, .gauged, .chart')]
    .filter(e => !e.closest('.output, .prose'))
    .filter(e => { const b = e.getBoundingClientRect();
        const inner = [...e.querySelectorAll('th, td, .gauge > *')]
            .filter(c => c.getClientRects().length && !c.closest('.unseen')
                    && !(c.closest('tr')?.offsetWidth <= 1))
            .some(c => c.getBoundingClientRect().right > width + 1
                    || (c.closest('thead') === null && c.scrollWidth > c.clientWidth + 1
                        && c.clientWidth > 1 && getComputedStyle(c).display !== 'inline'));
        return b.right > width + 1 || b.left < 0 || inner; })
    .map(e => e.className || e.tagName)"""


@pytest.mark.parametrize("name", list(PAGES))
def test_no_table_of_ours_is_cut_off(show: Open, name: str) -> None:
    page = show(name)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in (390, 820, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT_OFF, width) == [], width


def test_the_class_page_sorts_and_filters(show: Open) -> None:
    page = show("class")
    names = "[...document.querySelectorAll('.people tbody tr')].filter(r => !r.hidden)"
    texts = f"{names}.map(r => r.cells[0].innerText.trim())"
    points = f"{names}.map(r => r.cells[1].dataset.v)"
    before = page.evaluate(texts)
    page.get_by_role("columnheader", name="Points").get_by_role("button").click()
    found = [float(p) for p in page.evaluate(points) if p]
    assert found == sorted(found, reverse=True) and page.evaluate(points)[-1] == ""
    head = page.get_by_role("columnheader", name="Points")
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").press("Enter")
    found = [float(p) for p in page.evaluate(points) if p]
    assert found == sorted(found) and head.get_attribute("aria-sort") == "ascending"
    page.get_by_role("columnheader", name="Student").get_by_role("button").click()
    assert page.evaluate(texts) == before
    page.get_by_role("button", name="not graded").click()
    assert page.evaluate(texts) == ["Lotfi Zadeh"]
    assert page.get_by_role("status").inner_text() == "1 of 24 are shown."
    page.get_by_role("button", name="not graded").click()
    page.get_by_role("searchbox", name="Find").fill("arf")
    assert page.evaluate(texts) == ["Cahit Arf", "Cahit Arf 2"]
    assert _unexpected(page.signs) == []


def test_without_scripts_the_class_page_is_all_there(show: Open) -> None:
    page = show("class", java_script_enabled=False)
    assert page.get_by_role("row").count() == 25
    assert page.get_by_role("button").count() == page.get_by_role("searchbox").count() == 0
    assert page.locator(".flags").inner_text().startswith("22 waiting for marks")


def test_only_our_script_may_run_on_the_class_page(show: Open) -> None:
    whole = html_of("class")
    attack = "<script>attack()</script><b onclick='attack()' id=bait>x</b>"
    touched = whole.replace('"use strict";', '"use strict"; attack();')
    for name, page in {
        "added": whole.replace("</main>", f"{attack}</main>"),
        "ours": touched,
    }.items():
        shown = show(html=page)
        shown.evaluate("document.querySelector('#bait')?.click()")
        _wait_for(shown, "Content Security Policy")
        shown.wait_for_timeout(200)
        assert "attack ran" not in shown.signs
        assert shown.locator("table.live").count() == int(name == "added")

"""Students' pages on paper and on a phone, in a real browser."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from grader.report.pdf import print_pages
from grader.report.student_page import student_page
from tests.helpers.verdicts import AFTER_DUE, SPEC, graded

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>{title}</title>
<script>document.title = "a script ran"</script></head><body><p>Points</p>
<img src="http://127.0.0.1:9/never"></body></html>"""


def test_each_page_becomes_a_pdf_and_no_script_runs(browser: Any, tmp_path: Path) -> None:
    pages = {}
    for name in ("ada", "gül-0a1b"):
        pages[name] = tmp_path / f"{name}.html"
        pages[name].write_text(PAGE.format(title=f"Page of {name[:3]}"), encoding="utf-8")
    with ThreadPoolExecutor(1) as own:  # this thread has the browser of the other tests
        printed = own.submit(lambda: dict(print_pages(pages))).result()
    assert printed.keys() == pages.keys()
    for data in printed.values():
        assert data.startswith(b"%PDF-") and b"/Type /Page" in data
    assert b"a script ran" not in printed["ada"]
    assert b"Page of ada" in printed["ada"]


def test_a_students_wide_table_scrolls_on_a_phone_and_keeps_its_words(
    browser: Any, tmp_path: Path
) -> None:
    columns = 8
    rows = ["".join(["|"] + [" word |"] * columns), "|" + "---|" * columns]
    rows.append("|" + " considerable |" * columns)
    verdict = graded("Ada", answers={"q7": "\n".join(rows)})
    html = student_page(verdict, None, spec=SPEC, audience="student", now=AFTER_DUE)
    path = tmp_path / "page.html"
    path.write_text(html, encoding="utf-8")
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri())
    cell = page.locator(".answer td").first
    assert cell.evaluate("e => e.getBoundingClientRect().height") < 40  # one line, not twelve
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()

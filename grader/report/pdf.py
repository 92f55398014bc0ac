"""Pages printed as PDF by a Chromium that is there, one after the other in one browser.

Our pages run no script and load nothing; the browser is told not to, either.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.errors import InfrastructureError
from grader.installation import install_extra

BROWSER_VARIABLE = "GRADER_BROWSER"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TIMEOUT_MS = 60_000
_HOW = (
    "Install Chromium (on Debian: apt install chromium), and run "
    f"{install_extra('pdf')}. "
    f"{BROWSER_VARIABLE} names a browser that lies elsewhere. The HTML pages need neither."
)


def browser_path() -> str:
    """Return the Chromium to print with.

    Raises:
        InfrastructureError: there is none.
    """
    named = os.environ.get(BROWSER_VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        what = f"{named} is no program" if named else "no Chromium was found"
        raise InfrastructureError(f"no PDF can be made: {what}", hint=_HOW)
    return found


def print_pages(pages: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Yield each page as a PDF of A4 size, by its name.

    Args:
        pages: HTML files of ours.

    Raises:
        InfrastructureError: there is no browser, or it fails.
    """
    path = browser_path()
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise InfrastructureError(
            "no PDF can be made: the package playwright is not installed", hint=_HOW
        ) from error
    try:
        with sync_playwright() as playwright:
            # Chromium's own sandbox refuses to start for root.
            browser = playwright.chromium.launch(
                executable_path=path, chromium_sandbox=os.geteuid() != 0
            )
            try:
                for name, file in pages.items():
                    yield name, _printed(browser, file)
            finally:
                browser.close()
    except Error as error:
        first = str(error).strip().splitlines()[0][:300]
        raise InfrastructureError(
            f"the browser could not print: {first}", where=path, hint=_HOW
        ) from error


def _printed(browser: Any, file: Path) -> bytes:
    context = browser.new_context(
        java_script_enabled=False, offline=True, accept_downloads=False, color_scheme="light"
    )
    try:
        page = context.new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        page.goto(file.resolve().as_uri())
        data: bytes = page.pdf(format="A4", print_background=True, prefer_css_page_size=True)
        return data
    finally:
        context.close()

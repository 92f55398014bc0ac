"""Markdown from students, with formulas, as sanitised HTML."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module

from markupsafe import Markup

from grader.report.sanitising import MAX_HTML, sanitise_html
from grader.report.text import clean, shorten

MAX_MARKDOWN = 20_000
MAX_PICTURES = 16_000_000
MAX_ENVIRONMENTS = 100

_NEEDED = (
    "grader.report.markdown_renderer",
    "pygments.formatters.html",
    "pygments.lexers.python",
    "PIL.Image",
    "xml.etree.ElementTree",
)

# Runs of these make a Markdown parser look ahead again and again; nobody writes them.
_RUN = re.compile(r"([\[\]!*_`<>~$(\\&-])\1{99,}|(?:[>*+-] ?|\d\. ){40,}")


def markdown_html(
    untrusted_source: str, attachments: Mapping[str, Mapping[str, str]] | None = None
) -> Markup:
    """Return Markdown as HTML that may stand in a page.

    Args:
        untrusted_source: the text; beyond `MAX_MARKDOWN` characters its middle is left out.
        attachments: the cell's pictures by name, as nbformat keeps them.
    """
    source = clean(shorten(untrusted_source, MAX_MARKDOWN), MAX_MARKDOWN + 100)
    if attachments:
        return _convert(source, attachments)
    return _convert_cached(source)


def load_renderer() -> bool:
    """Import what Markdown, code and pictures need; whether that was still to be done."""
    missing = [name for name in _NEEDED if name not in sys.modules]
    for name in missing:
        import_module(name)
    return bool(missing)


@lru_cache(maxsize=1024)
def _convert_cached(source: str) -> Markup:
    """Most of a class hands in the same text round its answers."""
    return _convert(source, {})


def _convert(source: str, attachments: Mapping[str, Mapping[str, str]]) -> Markup:
    if _RUN.search(source) or source.count("\\begin{") > MAX_ENVIRONMENTS:
        return _as_it_stands(source)
    # Many pages hold no Markdown.
    from grader.report.markdown_renderer import render_markdown

    try:
        html = render_markdown(source, attachments)
        # The text is bounded above, each picture where it is put in: what is cut off in the middle
        # of a picture is none.
        return sanitise_html(html, limit=MAX_HTML + MAX_PICTURES if attachments else MAX_HTML)
    except RecursionError:
        return _as_it_stands(source)


def _as_it_stands(source: str) -> Markup:
    return Markup("<pre>{}</pre>").format(source)

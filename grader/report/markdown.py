"""Markdown from students, with formulas, as sanitised HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

from grader.report.formulas import formula_html
from grader.report.sanitising import sanitise_html
from grader.report.text import clean, shorten

MAX_MARKDOWN = 20_000
MAX_HIGHLIGHTED = 20_000
MAX_ENVIRONMENTS = 100
# Headings in a notebook stand below the page's own two levels.
HEADING_SHIFT = 2

_LEXER = PythonLexer(stripnl=False)
_FORMATTER = HtmlFormatter(nowrap=True)
_PYTHON_NAMES = {"python", "py", "python3", "ipython", "ipython3"}
# Runs of these make a Markdown parser look ahead again and again; nobody writes them.
_RUN = re.compile(r"([\[\]!*_`<>~$(\\&-])\1{99,}|(?:[>*+-] ?|\d\. ){40,}")


class _Renderer(IPythonRenderer):  # type: ignore[misc]
    def block_code(self, code: str, info: str | None = None) -> str:
        language = (info or "").split(maxsplit=1)[:1]
        python = bool(language) and language[0].lower() in _PYTHON_NAMES
        return f"<pre><code>{highlight_code(code) if python else escape(code)}</code></pre>"

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        level = min(level + HEADING_SHIFT, 6)
        return f"<h{level}>{text}</h{level}>"

    def inline_math(self, body: str) -> str:
        return formula_html(body, block=False)

    def block_math(self, body: str) -> str:
        return formula_html(body, block=True)

    def latex_environment(self, name: str, body: str) -> str:
        return formula_html(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def _embed_image_or_attachment(self, src: str) -> str:
        name = src.removeprefix("attachment:")
        bundle = self.attachments.get(name) if name != src else None
        if isinstance(bundle, Mapping):
            for mime, data in bundle.items():
                if isinstance(data, str):
                    return f"data:{mime};base64,{''.join(data.split())}"
        return src


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


@lru_cache(maxsize=1024)
def _convert_cached(source: str) -> Markup:
    """Most of a class hands in the same text round its answers."""
    return _convert(source, {})


def _convert(source: str, attachments: Mapping[str, Mapping[str, str]]) -> Markup:
    if _RUN.search(source) or source.count("\\begin{") > MAX_ENVIRONMENTS:
        return _as_it_stands(source)
    renderer = _Renderer(escape=False, attachments=dict(attachments))
    try:
        return sanitise_html(MarkdownWithMath(renderer=renderer).render(source))
    except RecursionError:
        return _as_it_stands(source)


def _as_it_stands(source: str) -> Markup:
    return Markup("<pre>{}</pre>").format(source)


@lru_cache(maxsize=4096)
def highlight_code(source: str) -> Markup:
    """Return Python source with its parts marked by class; long source is only escaped."""
    if len(source) > MAX_HIGHLIGHTED:
        return Markup("{}").format(source)
    return Markup(highlight(source, _LEXER, _FORMATTER))  # noqa: S704 - escaped by pygments

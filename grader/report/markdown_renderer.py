"""Markdown as HTML with our headings, code and formulas; its HTML is not sanitised yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from typing import Any
from urllib.parse import unquote

from mistune import HTMLRenderer

from grader.intake.linked_pictures import plain_target, with_quoted_links
from grader.report.formulas import formula_html
from grader.report.highlighting import highlight_code
from grader.report.markdown_parser import parse
from grader.report.pictures import sound_url

# Headings in a notebook stand below the page's own two levels.
HEADING_SHIFT = 2
_IMG = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_VALUE = re.compile(
    r"\b(?P<name>src|alt|width|height)\s*=\s*"
    r"(?:\"(?P<d>[^\"<>]*)\"|'(?P<s>[^'<>]*)'|(?P<n>[^\s\"'<>]+))",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_PYTHON_NAMES = {"python", "py", "python3", "ipython", "ipython3"}


def render_markdown(source: str, attachments: Mapping[str, Mapping[str, str]]) -> str:
    """Return hostile HTML; `attachments` are the cell's pictures, as nbformat keeps them.

    Raises:
        RecursionError: the source is nested too deeply.
    """
    return parse(with_quoted_links(source), _Renderer(attachments))


class _Renderer(HTMLRenderer):
    def __init__(self, attachments: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(escape=False, allow_harmful_protocols=True)  # all of it is sanitised
        self._attachments = attachments

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

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return self._picture(url, text, title or "")

    def block_html(self, html: str) -> str:
        return str(super().block_html(self._with_pictures(html)))

    def inline_html(self, html: str) -> str:
        return str(super().inline_html(self._with_pictures(html)))

    def _with_pictures(self, html: str) -> str:
        return _IMG.sub(self._img, html)

    def _img(self, tag: re.Match[str]) -> str:
        values = {m["name"].lower(): m["d"] or m["s"] or m["n"] for m in _VALUE.finditer(tag[0])}
        sizes = "".join(
            f' {name}="{escape(values[name])}"' for name in ("width", "height") if name in values
        )
        return self._picture(
            unescape(values.get("src") or ""), unescape(values.get("alt") or ""), "", sizes
        )

    def _picture(self, src: str, text: str, title: str, sizes: str = "") -> str:
        """The picture, or in its place that it is not there; nothing is loaded from outside."""
        url = src if src.startswith("data:") else self._attached(src)
        shown = sound_url(url) if url else None
        if shown is None:
            return f"<em>{escape(_missing(src, text))}</em>"
        label = text or title or "Picture in the text"
        return f'<img src="{shown}" alt="{escape(label)}"{sizes}>'

    def _attached(self, src: str) -> str:
        """The data of a picture that is pasted, or lies beside the notebook, whatever its name."""
        name = src.removeprefix("attachment:")
        wanted = plain_target(name)
        for known, bundle in self._attachments.items():
            if (known == name or (wanted and plain_target(known) == wanted)) and isinstance(
                bundle, Mapping
            ):
                for mime, data in bundle.items():
                    if isinstance(data, str):
                        return f"data:{mime};base64,{''.join(data.split())}"
        return ""


def _missing(src: str, text: str) -> str:
    if src.startswith("data:"):
        return f"A picture is not shown here: it is damaged or too large. {text}".strip()
    if _ELSEWHERE.match(src):
        return f"A picture from another place is not loaded: {src[:200]}"
    name = unquote(src.removeprefix("attachment:"))[:200]
    return f"A picture is not there, or damaged: {name or text or 'without a name'}"

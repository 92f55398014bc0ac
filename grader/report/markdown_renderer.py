"""nbconvert's Markdown with our headings, code and formulas; its HTML is not sanitised yet."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from grader.report.formulas import formula_html
from grader.report.markdown import highlight_code

# Headings in a notebook stand below the page's own two levels.
HEADING_SHIFT = 2
_PYTHON_NAMES = {"python", "py", "python3", "ipython", "ipython3"}


def render_markdown(source: str, attachments: Mapping[str, Mapping[str, str]]) -> str:
    """Return hostile HTML; `attachments` are the cell's pictures, as nbformat keeps them.

    Raises:
        RecursionError: the source is nested too deeply.
    """
    renderer = _Renderer(escape=False, attachments=dict(attachments))
    html: str = MarkdownWithMath(renderer=renderer).render(source)
    return html


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

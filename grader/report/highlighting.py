"""Python source from students as HTML, its parts marked by class."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

MAX_HIGHLIGHTED = 20_000

_LEXER = PythonLexer(stripnl=False)
_FORMATTER = HtmlFormatter(nowrap=True)


@lru_cache(maxsize=4096)
def highlight_code(source: str) -> Markup:
    """Return Python source with its parts marked by class; long source is only escaped."""
    if len(source) > MAX_HIGHLIGHTED:
        return Markup("{}").format(source)
    return Markup(highlight(source, _LEXER, _FORMATTER))  # noqa: S704 - escaped by pygments

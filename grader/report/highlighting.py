"""Python source from students as HTML, its parts marked by class."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from markupsafe import Markup

MAX_HIGHLIGHTED = 20_000


@lru_cache(maxsize=4096)
def highlight_code(source: str) -> Markup:
    """Return Python source with its parts marked by class; long source is only escaped."""
    if len(source) > MAX_HIGHLIGHTED:
        return Markup("{}").format(source)
    return Markup(_highlighter()(source))  # noqa: S704 - escaped by pygments


@cache
def _highlighter() -> Callable[[str], str]:
    # Loaded with the first code: its lexer is as many patterns as the rest of the pages together.
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters.html import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

    lexer, formatter = PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)
    return lambda source: str(highlight(source, lexer, formatter))

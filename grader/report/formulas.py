"""LaTeX formulas as MathML, which browsers show without scripts or fonts from outside."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from latex2mathml import converter, exceptions

MAX_FORMULA = 2_000

_UNREADABLE: tuple[type[Exception], ...] = (
    *(e for e in vars(exceptions).values() if isinstance(e, type) and issubclass(e, Exception)),
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)
_ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|split|gathered|align|equation\*?|gather\*?)\}")
# What the converter leaves of a command it doesn't know, or of an alignment it didn't understand.
_LEFTOVER = re.compile(r"<m[io]>(?:\\\w|&</)")


@lru_cache(maxsize=4096)
def formula_html(latex: str, *, block: bool) -> str:
    """Return a formula as MathML, or its source as code where it can't be read.

    The result is not sanitised: it goes through `sanitise_html` with the text round it.
    """
    source = latex.strip()
    if 0 < len(source) <= MAX_FORMULA:
        aligned = _ALIGNED.sub(r"\\\1{align*}", source)
        try:
            mathml = converter.convert(aligned, display="block" if block else "inline")
        except _UNREADABLE:
            mathml = ""
        if mathml and not _LEFTOVER.search(mathml):
            return mathml
    tag = "pre" if block else "code"
    return f"<{tag}>{escape(source[:MAX_FORMULA])}</{tag}>"

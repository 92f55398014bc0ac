r"""The Markdown of notebooks: mistune's, in which no other rule takes a formula apart.

Formulas are written as in Jupyter: `$…$`, `$$…$$`, `\\(…\\)` and `\\[…\\]` (with the backslashes
doubled), `\begin{…}…\end{…}`. A heading needs no space after its `#`.
"""

from __future__ import annotations

from re import Match
from typing import Any, ClassVar

from mistune import (
    BlockParser,
    BlockState,
    HTMLRenderer,
    InlineParser,
    InlineState,
    Markdown,
)
from mistune.plugins import import_plugin

_PLUGINS = ("strikethrough", "table", "url", "task_lists", "def_list")
# (?s:…): a formula may go over several lines.
_DISPLAY = (
    r"(?s:(?<!\\)[$]{2}.*?(?<!\\)[$]{2}"
    r"|\\\\\[.*?\\\\\]"
    r"|\\begin\{(?P<environment>[a-z]*\*?)\}.*?\\end\{(?P=environment)\})"
)
_HEADING = r"^ {0,3}(?P<atx_1>#{1,6})(?!#+)(?P<atx_2>[ \t]*(.*?)?)$"
_FORMULAS = {
    "display_dollars": r"(?s:(?<!\\)\$\$(?P<display_dollars_body>.*?)(?<!\\)\$\$)",
    "display_brackets": r"(?s:(?<!\\)\\\\\[(?P<display_brackets_body>.*?)(?<!\\)\\\\\])",
    "dollars": r"(?s:(?<![$\\])\$(?P<dollars_body>.+?)(?<![$\\])\$)",
    "brackets": r"(?s:(?<!\\)\\\\\((?P<brackets_body>.*?)(?<!\\)\\\\\))",
    "environment": r"(?s:\\begin\{(?P<environment_name>[a-z]*\*?)\}(?P<environment_body>.*?)"
    r"\\end\{(?P=environment_name)\})",
}


class _Blocks(BlockParser):
    """Makes a paragraph of each displayed formula, before another rule sees lines of it."""

    SPECIFICATION: ClassVar[dict[str, str]] = {
        **BlockParser.SPECIFICATION,
        "atx_heading": _HEADING,
        "displayed": _DISPLAY,
    }
    DEFAULT_RULES: ClassVar[Any] = ("displayed", *BlockParser.DEFAULT_RULES)

    def parse_displayed(self, found: Match[str], state: BlockState) -> int:
        """Leave it to the rules inside a paragraph."""
        state.add_paragraph(found[0])
        return found.end()


class _Inside(InlineParser):
    """Finds formulas before anything else in a paragraph."""

    SPECIFICATION: ClassVar[dict[str, str]] = {**InlineParser.SPECIFICATION, **_FORMULAS}
    DEFAULT_RULES: ClassVar[Any] = (*_FORMULAS, *InlineParser.DEFAULT_RULES)

    def parse_display_dollars(self, found: Match[str], state: InlineState) -> int:
        """A formula on lines of its own."""
        return _formula("block_math", found["display_dollars_body"], found, state)

    def parse_display_brackets(self, found: Match[str], state: InlineState) -> int:
        """A formula on lines of its own."""
        return _formula("block_math", found["display_brackets_body"], found, state)

    def parse_dollars(self, found: Match[str], state: InlineState) -> int:
        """A formula in a line."""
        return _formula("inline_math", found["dollars_body"], found, state)

    def parse_brackets(self, found: Match[str], state: InlineState) -> int:
        """A formula in a line."""
        return _formula("inline_math", found["brackets_body"], found, state)

    def parse_environment(self, found: Match[str], state: InlineState) -> int:
        """An environment of LaTeX."""
        attrs = {"name": found["environment_name"], "body": found["environment_body"]}
        state.append_token({"type": "latex_environment", "attrs": attrs})
        return found.end()


def _formula(kind: str, body: str, found: Match[str], state: InlineState) -> int:
    state.append_token({"type": kind, "raw": body})
    return found.end()


def parse(source: str, renderer: HTMLRenderer) -> str:
    """Return what a renderer makes of Markdown.

    Raises:
        RecursionError: the source is nested too deeply.
    """
    plugins = [import_plugin(name) for name in _PLUGINS]
    return str(Markdown(renderer, _Blocks(), _Inside(hard_wrap=False), plugins)(source))

"""Cells of tables that a spreadsheet opens: no text that anybody chose becomes a formula."""

from __future__ import annotations

# Programs take a cell that begins so for a formula, a command or a link to one: OWASP, "CSV
# Injection"; % and | begin one for older programs, full-width signs for some of East Asia.
DANGEROUS = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(text: str) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula: with a ' before it."""
    return f"'{text}" if _is_dangerous(text) else text


def plain_cell(text: str) -> str:
    """Return a cell's text without what `safe_cell` put there."""
    return text[1:] if text[:1] == "'" and _is_dangerous(text[1:]) else text


def _is_dangerous(text: str) -> bool:
    # Some programs drop spaces before they look.
    return text.startswith(DANGEROUS) or text.lstrip(" \xa0").startswith(DANGEROUS)

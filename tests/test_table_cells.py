"""No text that anybody chose is a formula where a spreadsheet opens it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.table_cells import plain_cell, safe_cell

# What OWASP lists under "CSV Injection", and % and | of older programs.
BEGINNINGS = ["=", "+", "-", "@", "\t", "\r", "\n", "%", "|", "＝", "＋", "－", "＠"]


@pytest.mark.parametrize("sign", BEGINNINGS)
@pytest.mark.parametrize("before", ["", " ", "\xa0 "])
def test_a_cell_that_begins_as_a_formula_becomes_text(before: str, sign: str) -> None:
    text = f"{before}{sign}cmd|'/c calc'!A0"
    assert safe_cell(text) == f"'{text}"
    assert plain_cell(safe_cell(text)) == text


@pytest.mark.parametrize("text", ["", "Ada", "9.50", "a=b", "'quoted'", "'", "''", "ß%"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text
    assert plain_cell(text) == text


@given(st.text())
def test_no_written_cell_begins_as_a_formula_and_each_is_read_back(text: str) -> None:
    written = safe_cell(text)
    assert not written.lstrip(" \xa0").startswith(tuple(BEGINNINGS))
    if not text.startswith("'"):
        assert plain_cell(written) == text

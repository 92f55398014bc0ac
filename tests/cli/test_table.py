"""The column of notes in the table of marks."""

from __future__ import annotations

from grader.cli.table import shortened


def test_the_first_note_is_never_cut_off_and_what_is_left_out_is_counted() -> None:
    first = "cell 1 stopped at `import pandas`, which is not installed here; " + "x" * 300
    assert shortened([first, "another", "a third"]) == f"{first}; and 2 more"
    assert shortened(["one", "two", "y" * 240]) == "one; two; and 1 more"
    assert shortened(["one", "two"]) == "one; two"
    assert shortened([]) == ""

"""The column of notes in the table of marks."""

from __future__ import annotations

import msgspec

from grader.cli.table import reason_shown, shortened
from tests.helpers.verdicts import invalid


def test_the_first_note_is_never_cut_off_and_what_is_left_out_is_counted() -> None:
    first = "cell 1 stopped at `import pandas`, which is not installed here; " + "x" * 300
    assert shortened([first, "another", "a third"]) == f"{first}; and 2 more"
    assert shortened(["one", "two", "y" * 240]) == "one; two; and 1 more"
    assert shortened(["one", "two"]) == "one; two"
    assert shortened(["It was not used.", "1 day late"]) == "It was not used; 1 day late"
    assert shortened([]) == ""


def test_what_to_hand_in_instead_is_not_cut_off() -> None:
    advice = "Hand in the .ipynb file itself."
    long = msgspec.structs.replace(invalid("ada"), reason=f"{'It is cut off. ' * 15}{advice}")
    assert reason_shown(long).endswith(advice)
    endless = msgspec.structs.replace(invalid("ada"), reason="word " * 1000)
    assert len(reason_shown(endless)) <= 400
    assert reason_shown(endless).endswith(" …")

"""What an audit found, as plain values: for the page, for `--json`, and to be kept."""

from __future__ import annotations

from typing import Literal

import msgspec

How = Literal["", "value", "error", "time", "suite"]


class MutantFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One mutant, and what the suite said of it.

    `failed` are the tests that notice it; `how` the strongest of their reasons: a compared
    "value", an "error" of the notebook, the "time" that was up; "suite": no test notices it, and
    one breaks over it. `questions` are those whose tests were run that could notice it.
    `equivalent` is the reason why it is no mistake, if the instructor gives one.
    """

    id: str
    notebook: str = ""
    function: str = ""
    kind: str
    mistake: str = ""
    line: int = 0
    diff: str = ""
    failed: tuple[str, ...] = ()
    how: How = ""
    equivalent: str = ""

    @property
    def noticed(self) -> bool:
        """Whether a test fails for it."""
        return bool(self.failed)

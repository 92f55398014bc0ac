"""An engine whose loop hangs at the tries of one student; else a light one.

python -m tests.helpers.hanging_engine ROOT
"""

from __future__ import annotations

import threading

from grader.desk.engine import work
from grader.desk.engine.main import main
from grader.gradebook.tries import DeskTry
from tests.helpers.light_engine import LightJudging

HANGS_AT = "ada"


class HangingJudging(LightJudging):
    """Never comes back from one student's tries, as a library that waits for ever does."""

    def submit(self, one: DeskTry) -> None:
        if one.student == HANGS_AT:
            threading.Event().wait()
        super().submit(one)


if __name__ == "__main__":
    work.Judging = HangingJudging  # type: ignore[misc, assignment]
    main()

"""Which cell of the notebook a test is about."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.report.rendered_notebook import RenderedNotebook
from grader.suite.results import TestOutcome, TestResult

_FRAME = re.compile(r"\bcell (\d{1,4})\b")
_WORD = re.compile(r"[A-Za-z_]\w{2,80}")


def cells_of_tests(tests: Iterable[TestResult], notebook: RenderedNotebook) -> dict[str, int]:
    """Return by test the number of a cell, as far as one is known, of those that were missed.

    The cell in which the student's code raised; else the last one that defines a name of which the
    test speaks.
    """
    found = {}
    for test in tests:
        if test.outcome is TestOutcome.PASSED:
            continue
        frames = _FRAME.findall(test.traceback)
        if frames:
            found[test.name] = int(frames[-1])
            continue
        spoken = f"{test.title} {test.message} {test.name.partition('[')[0]}"
        words = _WORD.findall(spoken)
        # `test_relu_forward` speaks of relu_forward, and of relu.
        words += [part for w in words if w.startswith("test_") for part in _parts(w)]
        cell = next((notebook.defined[w] for w in words if w in notebook.defined), None)
        if cell is not None:
            found[test.name] = cell
    return found


def _parts(name: str) -> list[str]:
    steps = name.split("_")[1:]
    return ["_".join(steps[:end]) for end in range(len(steps), 0, -1)]

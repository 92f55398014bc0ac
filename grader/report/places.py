"""Which cell of the notebook a test is about."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.course.spec import AssignmentSpec
from grader.report.rendered_notebook import RenderedNotebook
from grader.suite.results import TestOutcome, TestResult

_FRAME = re.compile(r"\bcell (\d{1,4})\b")
_WORD = re.compile(r"[A-Za-z_]\w{2,80}")


def cells_of_tests(
    tests: Iterable[TestResult], notebook: RenderedNotebook, spec: AssignmentSpec
) -> dict[str, int]:
    """Return by test the number of a cell, as far as one is known, of those that were missed.

    The cell in which the student's code raised; else the last one that defines a name of which the
    test speaks. Of several notebooks it is the test's own that is meant.
    """
    found = {}
    for test in tests:
        if test.outcome is TestOutcome.PASSED:
            continue
        held = spec.notebook_of(test.question)
        part = notebook.part(held.name if held else "")
        frames = _FRAME.findall(test.traceback)
        if frames:
            found[test.name] = part.number_of(int(frames[-1]))
            continue
        spoken = f"{test.title} {test.message} {test.name.partition('[')[0]}"
        words = _WORD.findall(spoken)
        # `test_relu_forward` speaks of relu_forward, and of relu.
        words += [step for w in words if w.startswith("test_") for step in _steps(w)]
        cell = next((part.defined[w] for w in words if w in part.defined), None)
        if cell is not None:
            found[test.name] = cell
    return found


def _steps(name: str) -> list[str]:
    steps = name.split("_")[1:]
    return ["_".join(steps[:end]) for end in range(len(steps), 0, -1)]

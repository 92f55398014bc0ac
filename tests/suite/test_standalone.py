"""What `pytest --notebook` prints of a notebook, on its author's terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.suite.failures import StudentError
from grader.suite.standalone import printable_report

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b3;3H\u202egnp"


def report(longrepr: Any) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid="test_a.py::test_a",
        location=("test_a.py", 0, "test_a"),
        keywords={},
        outcome="failed",
        longrepr=longrepr,
        when="call",
        sections=[("what the student sees", HOSTILE)],
    )


def raised() -> Any:
    try:
        raise StudentError("ValueError", HOSTILE)
    except StudentError:
        return pytest.ExceptionInfo.from_current().getrepr(style="long")


@pytest.mark.parametrize("longrepr", [raised(), HOSTILE, (str(Path("test_a.py")), 1, HOSTILE)])
def test_nothing_that_a_notebook_says_reaches_the_terminal(longrepr: Any) -> None:
    shown = printable_report(report(longrepr))
    text = shown.longrepr[2] if isinstance(shown.longrepr, tuple) else shown.longreprtext
    for said in (text, shown.sections[0][1]):
        assert "\\x1b]0;title" in said
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(said)


def test_a_report_in_which_nothing_is_hidden_stays_as_it_is() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        plain = pytest.ExceptionInfo.from_current().getrepr(style="short")
    assert printable_report(report(plain)).longrepr is plain

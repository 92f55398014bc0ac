"""The rules of the spec, held against one submission: what they found, and what it costs.

The source is a student's, and is only read; in a process of its own all the same, with limits, so
that one that is made to be slow to read costs neither the worker nor the batch anything.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from grader.grading.child_time import ChildTime
from grader.grading.parent_death import end_with_parent
from grader.grading.relay import Pipe
from grader.rules.book import Rulebook
from grader.rules.reading import Reading, merged
from grader.rules.violation import Violation
from grader.suite.evidence import Evidence
from grader.suite.results import TestOutcome, TestResult

READING_S = 10
"""Seconds of processor for reading one notebook; a long one takes a tenth of a second."""
_WAIT_S = 60.0
_MEMORY = 1 << 30


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """What the reading process says: of each test, and of the source as a whole."""

    tests: dict[str, tuple[Violation, ...]]
    source: tuple[Violation, ...]


class Enforced(msgspec.Struct, frozen=True, kw_only=True):
    """The results with what the rules took from them, and the violations."""

    results: tuple[TestResult, ...]
    violations: tuple[Violation, ...] = ()


def enforce(
    book: Rulebook,
    cells: Sequence[str],
    results: Sequence[TestResult],
    evidence: Mapping[str, Evidence],
    *,
    reading_s: int = READING_S,
) -> Enforced:
    """Hold the rules against a submission.

    Args:
        book: the rules.
        cells: the sources of its code cells.
        results: of its tests.
        evidence: by test, what it used and what ran.
        reading_s: seconds of processor after which the source counts as unreadable: it then costs
            nothing, and a person is asked to look.
    """
    read = _apart(lambda: _read(book, cells, results, evidence), reading_s)
    notes: tuple[Violation, ...] = ()
    if read is None:
        notes = (_unreadable(book),)
        # What ran is known without the source.
        read = _apart(lambda: _read(book, (), results, evidence), reading_s)
    if read is None:
        return Enforced(results=tuple(results), violations=notes)
    charged = [_charged(result, read.tests.get(result.name, ())) for result in results]
    found = [violation for _, violations in charged for violation in violations]
    # First what concerns a test, so that the source's own finding joins it.
    violations = merged([*found, *read.source, *notes])
    ordered = sorted(violations, key=lambda b: (bool(b.unclear), b.cell or 1 << 30, b.line, b.rule))
    return Enforced(results=tuple(result for result, _ in charged), violations=tuple(ordered))


def _read(
    book: Rulebook,
    cells: Sequence[str],
    results: Sequence[TestResult],
    evidence: Mapping[str, Evidence],
) -> _Read:
    reading = Reading(book, cells)
    tests = {}
    for result in results:
        known = evidence.get(result.name, Evidence())
        tests[result.name] = reading.of_test(result.question, frozenset(known.used), known.ran)
    return _Read(tests=tests, source=reading.violations)


def _charged(
    result: TestResult, violations: Sequence[Violation]
) -> tuple[TestResult, tuple[Violation, ...]]:
    """Take a test's points where a violation costs them; the first one is told the price."""
    charging = [violation for violation in violations if violation.charges]
    price = result.points if charging else Decimal(0)
    noted = tuple(
        msgspec.structs.replace(
            violation,
            tests=(result.name,),
            points=price if charging and violation is charging[0] else Decimal(0),
        )
        for violation in violations
    )
    if not price:
        return result, noted
    taken = msgspec.structs.replace(
        result,
        points=Decimal(0),
        outcome=TestOutcome.FAILED,
        message=f"{charging[0].sentence} This check gives no points for it.",
    )
    return taken, noted


def _unreadable(book: Rulebook) -> Violation:
    return Violation(
        rule=book.rules[0].forbid[0].name,
        found="",
        seen="source",
        cost="flag",
        unclear="the notebook's source takes too long, or too much memory, to be read",
    )


def _apart(work: Callable[[], _Read], seconds: int) -> _Read | None:
    """Do it in a forked process with limits; None where it did not come to its end."""
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            end_with_parent(parent, signal.SIGKILL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            ours.close()
            _limit(seconds)
            Pipe(theirs).send(work())
        finally:
            os._exit(0)
    theirs.close()
    own = ChildTime(pid)
    try:
        with ours:
            read, _ = Pipe(ours).receive(_Read, lambda: own.left(_WAIT_S))
            return read if isinstance(read, _Read) else None
    except (TimeoutError, EOFError, OSError):
        return None
    finally:
        os.kill(pid, signal.SIGKILL)  # it is ours until it has been waited for
        os.waitpid(pid, 0)


def _limit(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # a forked process begins at zero
    if sys.platform != "linux":
        return
    size = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _MEMORY, size + _MEMORY))

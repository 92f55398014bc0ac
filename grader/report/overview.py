"""What the head of a course would want to know first of a batch, with who is behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.course.spec import AssignmentSpec
from grader.gradebook.standings import Standing
from grader.gradebook.whole_mark import WholeMark
from grader.grading.suite_faults import suite_faults
from grader.grading.verdict import Outcome, Verdict
from grader.points import show
from grader.report.statistics import ClassStatistics, TestStatistics, class_statistics
from grader.suite.results import TestOutcome

FEW, SOME, MANY = 3, 5, 10
"""Graded submissions without which nothing is said of a test: that it is failed by all, failed by
most or passed by all, and that it does not separate."""
MOST_FAIL = 1 / 3
SEPARATES = 0.1
LISTED = 3

# Of several notebooks a note begins with the name of the one that it is on.
_TIME_LIMIT = re.compile(r"^(?:[\w-]+\.ipynb: )?cell \d+ ran longer than .* and was stopped")
_NEEDS_GPU = "needs a GPU"
_NOT_REQUESTED = "handed in with the notebook but not requested"


@dataclass(frozen=True, kw_only=True)
class OverviewLine:
    """One thing to look at.

    Attributes:
        kind: a stable name, for programs.
        text: a few words, whose first are the count where it is one of students.
        students: who is behind it.
        tests: which tests.
        grave: marks are missing or wrong until something is done.
    """

    kind: str
    text: str
    students: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    grave: bool = False


def findings(
    verdicts: Sequence[Verdict],
    *,
    spec: AssignmentSpec,
    standings: Mapping[str, Standing],
    marks: Mapping[str, WholeMark | None],
    statistics: ClassStatistics | None = None,
    problem: str = "",
) -> list[OverviewLine]:
    """Return what is worth a look, gravest first; nothing where all is well.

    Args:
        verdicts: those that count.
        spec: of the assignment.
        standings: by student, also of those who handed in nothing.
        marks: by student.
        statistics: of the same verdicts, where they are known.
        problem: why lateness and the like are not known.
    """
    found = [
        *_broken(verdicts),
        *_notebooks(verdicts),
        *_left_out(verdicts, spec),
        *_tests(statistics or class_statistics(verdicts, spec.points)),
        *_people(verdicts, spec, standings),
        *_untouched(verdicts),
        *_waiting(marks),
    ]
    if problem:
        text = f"lateness, extensions and excuses are not known: {problem}"
        found.append(OverviewLine(kind="course_file", text=text, grave=True))
    return sorted(found, key=lambda finding: not finding.grave)


def _broken(verdicts: Sequence[Verdict]) -> Iterator[OverviewLine]:
    for fault in suite_faults(verdicts):
        yield OverviewLine(
            kind="suite_error",
            text=f"a test of the suite is broken: {fault.test}; no mark for "
            f"{_submissions(len(fault.students))}",
            students=tuple(fault.students),
            tests=(fault.test,),
            grave=True,
        )
    failed = [v.student for v in verdicts if v.outcome is Outcome.INFRASTRUCTURE_ERROR]
    if failed:
        yield OverviewLine(
            kind="not_graded",
            text=f"{_submissions(len(failed))} not graded, through a fault on our side",
            students=tuple(failed),
            grave=True,
        )


def _notebooks(verdicts: Sequence[Verdict]) -> Iterator[OverviewLine]:
    graded = [v for v in verdicts if v.outcome is Outcome.GRADED]
    modules = Counter(name for v in graded for name in v.missing_modules)
    for name, count in modules.most_common(LISTED):
        whose = tuple(v.student for v in graded if name in v.missing_modules)
        own = sum(_came_with(v, name) for v in graded if name in v.missing_modules)
        what = (
            "which was handed in, but not requested ([handin] files)"
            if own == count
            else "which is not installed"
        )
        yield OverviewLine(
            kind="missing_module",
            text=f"{_some(count, graded)} {'imports' if count == 1 else 'import'} `{name}`, {what}",
            students=whose,
            grave=True,
        )
    if len(modules) > LISTED:
        rest = [name for name, _ in modules.most_common()[LISTED:]]
        yield OverviewLine(
            kind="missing_modules_rarer",
            text=f"{len(rest)} more modules are not installed: {', '.join(rest[:8])}",
            students=tuple(v.student for v in graded if set(rest) & set(v.missing_modules)),
        )
    for kind, (one, several, text), is_so in (
        ("needs_gpu", ("requests", "request", "a GPU, and there is none"), _needs_gpu),
        ("time_limit", ("reached", "reached", "a time limit"), _ran_out),
        ("memory_limit", ("ran", "ran", "out of memory"), _out_of_memory),
    ):
        found = tuple(v.student for v in graded if is_so(v))
        if found:
            yield OverviewLine(
                kind=kind,
                text=f"{_some(len(found), graded)} {one if len(found) == 1 else several} {text}",
                students=found,
            )
    unread = tuple(v.student for v in verdicts if v.outcome is Outcome.INVALID_SUBMISSION)
    if unread:
        yield OverviewLine(
            kind="unreadable",
            text=f"{_submissions(len(unread))} could not be read: 0 points",
            students=unread,
        )


def _left_out(verdicts: Sequence[Verdict], spec: AssignmentSpec) -> Iterator[OverviewLine]:
    for notebook in spec.notebooks:
        missing = tuple(v.student for v in verdicts if notebook.absence in v.notes)
        if missing:
            yield OverviewLine(
                kind="missing_notebook",
                text=f"{_submissions(len(missing))} without {notebook.file}",
                students=missing,
            )


def _tests(statistics: ClassStatistics) -> Iterator[OverviewLine]:
    tests = statistics.tests
    by_none = [t for t in tests if t.taken >= FEW and not t.pass_rate and not t.partly_rate]
    for test in by_none:
        yield _of_test("failed_by_all", f"nobody passes {_named(test)}", test, grave=True)
    failed = [t for t in tests if t.taken >= SOME and t.pass_rate <= MOST_FAIL and t not in by_none]
    for test in sorted(failed, key=lambda t: t.mean_share)[:LISTED]:
        missed = len(test.missed)
        yield _of_test("mostly_failed", f"{missed} of {test.taken} miss {_named(test)}", test)
    for test in tests:
        separates = test.discrimination
        if test.taken >= MANY and separates is not None and separates < SEPARATES:
            told = (
                "strong notebooks miss it as often as weak ones"
                if separates > -SEPARATES
                else "strong notebooks miss it more often than weak ones"
            )
            yield _of_test("does_not_separate", f"{_named(test)} does not separate: {told}", test)
    by_all = [t for t in tests if t.taken >= SOME and t.pass_rate == 1]
    if by_all:
        several = len(by_all) > 1
        count = f"{len(by_all)} of {len(tests)} tests are" if several else "1 test is"
        nobody = "separate nobody" if several else "separates nobody"
        yield OverviewLine(
            kind="passed_by_all",
            text=f"{count} passed by everybody, and so {nobody}",
            tests=tuple(t.name for t in by_all),
        )


def _of_test(kind: str, text: str, test: TestStatistics, *, grave: bool = False) -> OverviewLine:
    missed = tuple(m.student for m in test.missed)
    return OverviewLine(kind=kind, text=text, students=missed, tests=(test.name,), grave=grave)


def _people(
    verdicts: Sequence[Verdict], spec: AssignmentSpec, standings: Mapping[str, Standing]
) -> Iterator[OverviewLine]:
    def who(kind: str, text: str, is_so: Mapping[str, bool]) -> Iterator[OverviewLine]:
        found = tuple(student for student, so in is_so.items() if so)
        if found:
            yield OverviewLine(kind=kind, text=f"{len(found)} {text}", students=found)

    own = standings.items()
    yield from who("not_handed_in", "not handed in", {
        s: o.absent and not o.excused and o.overdue for s, o in own
    })  # fmt: skip
    yield from who("not_handed_in_yet", "not handed in yet", {
        s: o.absent and not o.excused and not o.overdue for s, o in own
    })  # fmt: skip
    yield from who("too_late", "too late to be accepted: 0 points", {s: o.refused for s, o in own})
    yield from who("late", "late", {s: bool(o.late) and not o.refused for s, o in own})
    if spec.dates.due is not None:
        handed = sum(not o.absent for o in standings.values())
        yield from who("without_time", f"of {handed} without a hand-in time: never late", {
            s: o.timeless for s, o in own
        })  # fmt: skip
    yield from who("extended", "with an extension", {s: o.extended for s, o in own})
    yield from who("excused", "excused", {s: o.excused for s, o in own})
    yield from who("not_on_roster", "not on the roster", {s: not o.on_roster for s, o in own})


def _untouched(verdicts: Sequence[Verdict]) -> Iterator[OverviewLine]:
    questions = dict.fromkeys(question for v in verdicts for question in v.untouched)
    for question in sorted(questions):
        found = tuple(v.student for v in verdicts if question in v.untouched)
        yield OverviewLine(
            kind="untouched",
            text=f"{len(found)} left the answer to {question} as it was handed out",
            students=found,
        )


def _waiting(marks: Mapping[str, WholeMark | None]) -> Iterator[OverviewLine]:
    waiting = {s: mark for s, mark in marks.items() if mark is not None and mark.waits}
    if waiting:
        points = sum((mark.waits for mark in waiting.values()), Decimal(0))
        answers = sum(max(1, len(mark.waiting)) for mark in waiting.values())
        yield OverviewLine(
            kind="waits_for_marks",
            text=f"{answers} {'answer waits' if answers == 1 else 'answers wait'} for a person to "
            f"mark {'it' if answers == 1 else 'them'}, worth {show(points)} points in all",
            students=tuple(waiting),
        )


def _needs_gpu(verdict: Verdict) -> bool:
    return any(_NEEDS_GPU in note for note in verdict.notes)


def _ran_out(verdict: Verdict) -> bool:
    tests = any(test.outcome is TestOutcome.TIMEOUT for test in verdict.tests)
    return tests or any(map(_TIME_LIMIT.match, verdict.notes))


def _out_of_memory(verdict: Verdict) -> bool:
    return any(test.outcome is TestOutcome.OUT_OF_MEMORY for test in verdict.tests)


def _named(test: TestStatistics) -> str:
    return f"{test.question} “{test.title}”" if test.question else f"“{test.title}”"


def _submissions(count: int) -> str:
    return "1 submission" if count == 1 else f"{count} submissions"


def _some(count: int, graded: Sequence[Verdict]) -> str:
    of = len(graded)
    return f"{count} of {'1 notebook' if of == 1 else f'{of} notebooks'}"


def _came_with(verdict: Verdict, module: str) -> bool:
    """Whether a module was handed in beside the notebook, and not taken."""
    return any(f"`{module}.py`" in note and _NOT_REQUESTED in note for note in verdict.notes)

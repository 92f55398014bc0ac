"""What the verdicts of a class say together."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.diagnosis.kinds import sentence_of
from grader.grading.verdict import Outcome, Verdict
from grader.report.cases import JoinedTest, join_cases
from grader.suite.results import TestOutcome, TestResult

MAX_BINS = 12
LISTED = 8

_ERROR_NAME = re.compile(r"^\s*([A-Za-z_][\w.]{0,80})(?::|$)", re.MULTILINE)
_ERROR_ENDINGS = ("Error", "Exception", "Interrupt", "Exit", "Iteration", "Warning")


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Who did not get all points of a test, how it `ended`, and at which `case` of it."""

    student: str
    ended: str
    case: str
    partly: bool


@dataclass(frozen=True, kw_only=True)
class TestStatistics:
    """One test over the class, its cases joined.

    `taken` submissions were graded by it, and `missed` did not get all its points.
    `pass_rate`, `partly_rate` and `mean_share` (of its points) are 0 to 1. `discrimination` is
    the correlation of the test's points with the points of all other tests; None where either
    never varies.
    """

    __test__ = False

    name: str
    title: str
    question: str
    pass_rate: float
    partly_rate: float
    mean_share: float
    discrimination: float | None
    taken: int = 0
    cases: int = 1
    missed: tuple[Missed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The distribution of marks; None without a graded submission."""

    mean: float
    median: float
    lowest: Decimal
    highest: Decimal
    deviation: float


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How many marks lie between each edge and the next; full marks are in the last part."""

    edges: tuple[Decimal, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How often a test ended so; `ended` completes “it …”."""

    title: str
    question: str
    ended: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Diagnosed:
    """A kind of mistake that values of one question show, and how many students made it."""

    question: str
    kind: str
    sentence: str
    who: tuple[str, ...]

    @property
    def students(self) -> int:
        """How many."""
        return len(self.who)


@dataclass(frozen=True, kw_only=True)
class ClassStatistics:
    """Everything that the class page shows beside its table."""

    outcomes: dict[Outcome, int]
    summary: Summary | None
    histogram: Histogram
    tests: tuple[TestStatistics, ...]
    failures: tuple[Failure, ...]
    errors: tuple[tuple[str, int], ...]
    slowest: tuple[Verdict, ...]
    missing_modules: tuple[tuple[str, int], ...] = ()
    diagnosed: tuple[Diagnosed, ...] = ()


def class_statistics(
    verdicts: Sequence[Verdict],
    max_points: Decimal,
    points: Mapping[str, Decimal] | None = None,
) -> ClassStatistics:
    """Sum up a class. What is no mark is counted among the outcomes alone.

    Args:
        verdicts: one per student.
        max_points: of each mark.
        points: by student, the marks; by default the machine's.
    """
    marked = [v for v in verdicts if v.outcome.is_mark]
    marks = (
        [points[v.student] for v in verdicts if v.student in points]
        if points is not None
        else [v.points for v in marked]
    )
    graded = [v for v in marked if v.outcome is Outcome.GRADED]
    outcomes = Counter(v.outcome for v in verdicts)
    return ClassStatistics(
        outcomes={o: outcomes[o] for o in Outcome},
        summary=summarised(marks),
        histogram=histogram(marks, max_points),
        tests=tuple(_tests(graded)),
        failures=tuple(_failures(graded)),
        errors=tuple(_errors(graded)),
        missing_modules=tuple(
            Counter(name for v in graded for name in v.missing_modules).most_common(LISTED)
        ),
        diagnosed=tuple(_diagnosed(graded)),
        slowest=tuple(sorted(graded, key=lambda v: -v.usage.wall_s)[:5]),
    )


def summarised(points: Sequence[Decimal]) -> Summary | None:
    """Return how marks are distributed; None where there are none."""
    if not points:
        return None
    return Summary(
        mean=float(statistics.mean(points)),
        median=float(statistics.median(points)),
        lowest=min(points),
        highest=max(points),
        deviation=float(statistics.pstdev(points)),
    )


def histogram(points: Sequence[Decimal], max_points: Decimal) -> Histogram:
    """Count how many marks lie in each part of the points; the parts have round edges."""
    max_points = max([max_points, *points])  # extra credit comes on top
    step = next((s for s in _round_steps() if s * MAX_BINS >= max_points), max_points)
    bins = max(1, math.ceil(max_points / step))
    counts = [0] * bins
    for mark in points:
        counts[max(0, min(bins - 1, int(mark / step)))] += 1
    edges = (*(step * i for i in range(bins)), max(max_points, step))
    return Histogram(edges=edges, counts=tuple(counts))


def _round_steps() -> Iterator[Decimal]:
    for power in range(-2, 8):
        for first in (1, 2, 5):
            yield Decimal(first).scaleb(power)


def _diagnosed(graded: Sequence[Verdict]) -> Iterator[Diagnosed]:
    """The kinds of mistakes of two students at least, those that most have made first."""
    made: dict[tuple[str, str], list[str]] = {}
    for verdict in graded:
        for question, kind in {(t.question, t.diagnosis) for t in verdict.tests if t.diagnosis}:
            if isinstance(kind, str):
                made.setdefault((question, kind), []).append(verdict.student)
    largest = sorted(made.items(), key=lambda one: (-len(one[1]), one[0]))[:LISTED]
    for (question, kind), students in largest:
        sentence = sentence_of(kind)
        if len(students) > 1 and sentence:
            who = tuple(sorted(students))
            yield Diagnosed(question=question, kind=kind, sentence=sentence, who=who)


def _tests(graded: Sequence[Verdict]) -> list[TestStatistics]:
    taken: dict[tuple[str, str], list[tuple[JoinedTest, Verdict]]] = {}
    for verdict in graded:
        for test in join_cases(verdict.tests):
            taken.setdefault((test.question, test.name), []).append((test, verdict))
    return [_test(results) for results in taken.values()]


def _test(results: list[tuple[JoinedTest, Verdict]]) -> TestStatistics:
    first = results[0][0]
    passed = sum(t.passed for t, _ in results)
    worth = float(first.max_points)
    own = [float(t.points) for t, _ in results]
    rest = [float(v.points - t.points) for t, v in results]
    return TestStatistics(
        name=first.name,
        title=first.title,
        question=first.question,
        pass_rate=passed / len(results),
        partly_rate=sum(t.partly for t, _ in results) / len(results),
        mean_share=statistics.mean(own) / worth if worth else 0.0,
        discrimination=correlation(own, rest),
        taken=len(results),
        cases=max(len(t.cases) for t, _ in results),
        missed=tuple(
            Missed(
                student=v.student,
                ended=t.tally if len(t.cases) > 1 else t.short,
                case=t.missed[0].name,
                partly=t.partly,
            )
            for t, v in results
            if t.missed
        ),
    )


def correlation(a: list[float], b: list[float]) -> float | None:
    """Return how two rows of numbers go together, -1 to 1; None where either never varies."""
    if len(a) < 3 or len(set(a)) == 1 or len(set(b)) == 1:
        return None
    return statistics.correlation(a, b)


def _failures(graded: Sequence[Verdict]) -> list[Failure]:
    ended = Counter(
        (t.title, t.question, t.short)
        for v in graded
        for t in join_cases(v.tests)
        if not t.passed and not t.not_run
    )
    return [
        Failure(title=title, question=question, ended=words, count=count)
        for (title, question, words), count in ended.most_common(LISTED)
    ]


def _errors(graded: Sequence[Verdict]) -> list[tuple[str, int]]:
    """The types of the errors that students' code raised: how many submissions had each."""
    names = Counter(
        name
        for v in graded
        for name in {_error_name(t) for t in v.tests if t.outcome is TestOutcome.STUDENT_ERROR}
    )
    return names.most_common(LISTED)


def _error_name(test: TestResult) -> str:
    found = [
        name
        for name in _ERROR_NAME.findall(f"{test.traceback[-2000:]}\n{test.message[:2000]}")
        if name.endswith(_ERROR_ENDINGS)
    ]
    return found[-1].rpartition(".")[2] if found else "another error"

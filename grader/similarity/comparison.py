"""A class's submissions held against each other, and the pairs that stand out.

An inverted index (fingerprint -> submissions) names the pairs that share anything; a fingerprint
of many submissions is the task's own and says nothing about a pair, so it is left out. The list
of a fingerprint thus has a bound, and the work grows with the class, not with its square.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import combinations

from grader.similarity.fingerprints import ComparedCode, Fingerprint, Kind

COMMON_SHARE = 0.1
COMMON_LEAST, COMMON_MOST = 5, 40
"""A fingerprint of more than a tenth of the class, and of more than these bounds, is common."""

LEAST_OWN = 24
"""Fingerprints: what is shorter is held against this length, or one line would be a likeness."""

LEAST_SCORE = 0.3
DEVIATIONS = 6
HIGHEST_LEAST = 0.8
"""However alike a class is, so much in common is shown."""

SMALL_CLASS = 20
SMALL_CLASS_SCORE = 0.4
_KINDS: tuple[Kind, ...] = ("run", "tree")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two submissions that are closer than the class.

    Attributes:
        students: the two, sorted.
        score: of what the shorter one has of its own, the share that the other has too, 0 to 1.
        deviations: how far that lies above the class's median, in robust standard deviations.
        known: why the likeness is expected (a group, a declared collaboration), or "".
    """

    students: tuple[str, str]
    score: float
    deviations: float
    shared: int
    known: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came out for a class.

    Attributes:
        pairs: those that stand out, closest first.
        compared: number of submissions.
        too_short: students whose code, starter code apart, says too little to compare.
        median: of the scores of all pairs.
        spread: their robust standard deviation.
        least: the score from which on a pair is named.
        best: everybody's highest score with anybody, sorted.
    """

    pairs: tuple[Pair, ...]
    compared: int
    too_short: tuple[str, ...] = ()
    median: float = 0.0
    spread: float = 0.0
    least: float = LEAST_SCORE
    best: tuple[float, ...] = ()
    ignored: frozenset[tuple[Kind, int]] = field(default=frozenset(), repr=False)

    @property
    def small(self) -> bool:
        """Whether the class is too small to say what is usual in it."""
        return self.compared < SMALL_CLASS


def compare(
    submissions: Mapping[str, ComparedCode],
    starter: Iterable[Fingerprint] = (),
    *,
    known: Mapping[tuple[str, str], str] | None = None,
) -> Comparison:
    """Find the pairs that are closer than the class.

    Args:
        submissions: by student.
        starter: of the code that was released, every run of it: what everybody got.
        known: by pair (sorted): why two students may be alike.
    """
    given = frozenset((f.kind, f.value) for f in starter)
    own = {s: _own(code, given) for s, code in sorted(submissions.items())}
    too_short = tuple(s for s, prints in own.items() if len(prints) < LEAST_OWN // 2)
    own = {s: prints for s, prints in own.items() if s not in too_short}
    index: dict[tuple[Kind, int], list[str]] = defaultdict(list)
    for student, prints in own.items():
        for one in prints:
            index[one].append(student)
    most = min(max(COMMON_LEAST, round(COMMON_SHARE * len(own))), COMMON_MOST)
    common = frozenset(one for one, students in index.items() if len(students) > most)
    scores, shared = _scores({s: prints - common for s, prints in own.items()}, index, common)
    median, spread = _usual(scores, len(own))
    least = SMALL_CLASS_SCORE
    if len(own) >= SMALL_CLASS:
        least = max(LEAST_SCORE, min(median + DEVIATIONS * spread, HIGHEST_LEAST))
    pairs = [
        Pair(
            students=pair,
            score=score,
            deviations=(score - median) / spread,
            shared=shared[pair],
            known=(known or {}).get(pair, ""),
        )
        for pair, score in scores.items()
        if score >= least
    ]
    return Comparison(
        pairs=tuple(sorted(pairs, key=lambda pair: (-pair.score, pair.students))),
        compared=len(own),
        too_short=too_short,
        median=median,
        spread=spread,
        least=least,
        best=_best(scores, own),
        ignored=given | common,
    )


def _own(code: ComparedCode, given: Set[tuple[Kind, int]]) -> set[tuple[Kind, int]]:
    return {(f.kind, f.value) for f in code.fingerprints} - given


def _scores(
    own: Mapping[str, Set[tuple[Kind, int]]],
    index: Mapping[tuple[Kind, int], list[str]],
    common: Set[tuple[Kind, int]],
) -> tuple[dict[tuple[str, str], float], Counter[tuple[str, str]]]:
    """Return score and number of shared fingerprints of every pair that shares any.

    The score is the mean over runs and trees: a disguise seldom deceives both.
    """
    counts: dict[Kind, Counter[tuple[str, str]]] = {kind: Counter() for kind in _KINDS}
    for one, students in index.items():
        if len(students) > 1 and one not in common:
            counts[one[0]].update(combinations(students, 2))
    sizes = {s: Counter(kind for kind, _ in prints) for s, prints in own.items()}
    both = counts["run"] + counts["tree"]
    scores = {}
    for pair in both:
        a, b = (sizes[student] for student in pair)
        shares = [
            counts[kind][pair] / max(min(a[kind], b[kind]), LEAST_OWN // 2) for kind in _KINDS
        ]
        scores[pair] = sum(shares) / len(shares)
    return scores, both


def _usual(scores: Mapping[tuple[str, str], float], students: int) -> tuple[float, float]:
    """Return median and robust standard deviation (1.4826 MAD) of all pairs, sharing or not.

    The spread has a floor, so that in a class where nobody shares anything a trifle is no signal.
    """
    total = students * (students - 1) // 2
    median = _median_with_zeros(list(scores.values()), total)
    away = [abs(score - median) for score in scores.values()]
    # Pairs that share nothing lie `median` away from it.
    zeros = total - len(away)
    middle = _weighted_median([(median, zeros), *((d, 1) for d in away)])
    return median, max(1.4826 * middle, 0.02)


def _median_with_zeros(values: list[float], total: int) -> float:
    return _weighted_median([(0.0, total - len(values)), *((value, 1) for value in values)])


def _weighted_median(values: list[tuple[float, int]]) -> float:
    total = sum(count for _, count in values)
    passed = 0
    for value, count in sorted(values):
        passed += count
        if count and 2 * passed >= total:
            return value
    return 0.0


def _best(scores: Mapping[tuple[str, str], float], students: Iterable[str]) -> tuple[float, ...]:
    best = dict.fromkeys(students, 0.0)
    for pair, score in scores.items():
        for student in pair:
            best[student] = max(best[student], score)
    return tuple(sorted(best.values()))

"""Each attack is seen to succeed where the wall that stops it is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.attacks.batches import Batch, PeerGrader, Weak, bitten, grade_weakly, weak_of
from tests.attacks.corpus import CHOSEN, NAME, Case, cases, is_chosen, make_course, notebooks_of
from tests.attacks.weakened import reader
from tests.attacks.weakened.table import WEAKENINGS

_BATCHES = ("no-walls", "shared-shm", "shared-seed")
"""Weakenings of the sandbox that are tried in `make test`; each takes some seconds."""


def _parameters() -> list[Any]:
    """All cases; or those of the quick weakenings, and a sample of those of a peer."""
    found = []
    for number, case in enumerate(sorted(cases(), key=lambda c: c.bites.weakening)):
        weakening = WEAKENINGS[case.bites.weakening]
        quick = weakening.reader or weakening.page or case.bites.weakening in _BATCHES
        sampled = quick or (weakening.peer is not None and number % 16 == 0)
        if is_chosen(case) if CHOSEN else sampled:
            marks = () if weakening.reader or weakening.peer is not None else pytest.mark.local_box
            found.append(pytest.param(case, id=f"{case.bites.weakening}-{case.id}", marks=marks))
    return found


class _Graders:
    """Whoever grades badly; each is started when the first of its cases is asked for."""

    def __init__(self, factory: pytest.TempPathFactory, chosen: list[Case]) -> None:
        self._factory = factory
        self._peer: PeerGrader | None = None
        self._batches: dict[str, Batch] = {}
        self._of: dict[str, list[Case]] = defaultdict(list)
        for case in chosen:
            self._of[case.bites.weakening].append(case)

    def run(self, case: Case) -> Weak:
        """What came of the case where its wall is missing."""
        name = case.bites.weakening
        weakening = WEAKENINGS[name]
        if weakening.peer is not None:
            if self._peer is None:
                self._peer = PeerGrader(self._factory.mktemp("peer"))
            return self._peer.run(case, weakening)
        if weakening.reader:
            root = self._factory.mktemp("reader")
            course = make_course(root / "course")
            return reader.run(case, root / "r", notebooks_of(course.assignment(NAME)))
        if name not in self._batches:
            root = self._factory.mktemp(name)
            self._batches[name] = grade_weakly(root, name, weakening, self._of[name])
        return weak_of(case, self._batches[name])

    def close(self) -> None:
        """End what was started."""
        if self._peer is not None:
            self._peer.close()


@pytest.fixture(scope="module")
def graders(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Graders]:
    chosen = [p.values[0] for p in _parameters()]
    made = _Graders(tmp_path_factory, chosen)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", _parameters())
def test_the_attack_succeeds_where_the_wall_is_missing(graders: _Graders, case: Case) -> None:
    weak = graders.run(case)
    assert bitten(case, weak) == case.bites.how(), (weak.score, weak.text[-2_000:])


def test_every_weakening_is_used() -> None:
    assert {c.bites.weakening for c in cases()} == set(WEAKENINGS)


def test_every_case_says_how_it_succeeds() -> None:
    assert [c.id for c in cases() if not c.bites.how()] == []


def test_there_are_cases_for_every_heading() -> None:
    counted: dict[str, int] = defaultdict(int)
    for case in cases():
        counted[case.group] += 1
    assert sum(counted.values()) >= 140
    assert min(counted.values()) >= 7
